"""Places that are kept: who gets them, and where they go back to."""

from __future__ import annotations

import pytest

from healthcert.errors import SlotFull
from healthcert.models import Appointment, Slot
from healthcert.services import booking, moving, search
from healthcert.services.reconciling import differences
from tests.factories import NOW, day
from tests.services.clinic import book_for, details
from tests.threads import at_once


@pytest.fixture
def slot(clinic) -> Slot:
    """Four places: one kept for the telephone, one for people who walk in, two open."""
    return clinic.slot(capacity=4, kept_phone=1, kept_walk_in=1)


def book(clinic, slot, source) -> Appointment:
    return clinic.doors.run(
        lambda db: book_for(
            db, vault=clinic.vault, slot_id=slot.id, dose_number=1, details=details(),
            source=source, now=NOW,
        )
    )  # fmt: skip


def counters(clinic, slot) -> tuple[int, int, int]:
    with clinic.doors.reading() as db:
        assert differences(db) == []
        found = db.get_one(Slot, slot.id)
        return found.booked, found.booked_phone, found.booked_walk_in


def test_kept_places_are_left_to_those_they_are_kept_for(clinic, slot):
    assert [book(clinic, slot, "web").pool for _ in range(2)] == ["online", "online"]
    with pytest.raises(SlotFull):
        book(clinic, slot, "web")
    assert book(clinic, slot, "walk_in").pool == "walk_in"
    assert book(clinic, slot, "phone").pool == "phone"
    for source in ("web", "phone", "walk_in"):
        with pytest.raises(SlotFull):
            book(clinic, slot, source)
    assert counters(clinic, slot) == (4, 1, 1)


def test_who_finds_their_own_pool_used_up_takes_an_open_place(clinic, slot):
    assert [book(clinic, slot, "phone").pool for _ in range(3)] == ["phone", "online", "online"]
    with pytest.raises(SlotFull):
        book(clinic, slot, "phone")
    assert counters(clinic, slot) == (3, 1, 0)


def test_a_place_goes_back_to_the_pool_it_was_taken_from(clinic, slot):
    phoned = book(clinic, slot, "phone")
    other = clinic.slot(day(2), capacity=2, kept_phone=1)
    how = {"vault": clinic.vault, "person_id": phoned.person_id, "now": NOW}
    moved = clinic.doors.run(
        lambda db: moving.move(db, appointment_id=phoned.id, slot_id=other.id, **how)
    )
    assert (moved.pool, counters(clinic, slot), counters(clinic, other)) == (
        "phone", (0, 0, 0), (1, 1, 0),
    )  # fmt: skip
    clinic.doors.run(lambda db: booking.cancel(db, appointment_id=moved.id, **how))
    assert counters(clinic, other) == (0, 0, 0)


def test_thirty_two_race_for_each_pool_and_none_gives_one_too_many(clinic):
    slot = clinic.slot(capacity=9, kept_phone=3, kept_walk_in=2)
    sources = ("web", "phone", "walk_in", "sms")
    came_of_it = at_once(32, lambda turn: book(clinic, slot, sources[turn % 4]))
    pools = [each.pool for each in came_of_it if isinstance(each, Appointment)]
    assert sorted(pools) == ["online"] * 4 + ["phone"] * 3 + ["walk_in"] * 2
    assert counters(clinic, slot) == (9, 3, 2)


def test_second_doses_have_places_that_only_they_find(clinic):
    slot = clinic.slot(day(40), capacity=1, kept_second_dose=1)

    def offered(dose_number: int) -> list[int]:
        with clinic.doors.reading() as db:
            found = search.nearest_free(
                db, programme_id=clinic.programme.id, near=(48.0, 2.0), now=NOW, limit=9,
                dose_number=dose_number,
            )  # fmt: skip
            return [each.places for each in found]

    assert (offered(1), offered(2)) == ([], [1])
    who = details()
    clinic.vaccinated(day(-1), who)
    with pytest.raises(SlotFull):
        book(clinic, slot, "web")
    second = clinic.book(slot, who, dose_number=2)
    assert (second.pool, offered(2)) == ("second_dose", [])
