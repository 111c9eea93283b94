"""Second doses follow the first; people are reminded, and told when they were missed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from healthcert.errors import NextDoseFull
from healthcert.models import Appointment, Message, Person, Slot
from healthcert.services import (
    audit,
    booking,
    enrolment,
    moving,
    parties,
    reminding,
    sweeping,
)
from healthcert.services.clinic import arrive
from healthcert.services.parties import Wish
from healthcert.services.people import Details
from healthcert.services.reconciling import differences
from tests.factories import NOW, day, make_site
from tests.services.clinic import JCOVDEN, details

DAY = timedelta(days=1)


@pytest.fixture
def who(clinic) -> Details:
    """Somebody with dose 1 tomorrow and dose 2 on day 25; there is vaccine."""
    clinic.lot()
    clinic.lot(product=JCOVDEN)
    return details()


def both(
    clinic, who: Details, second: Slot, first: Slot | None = None
) -> tuple[Appointment, Appointment]:
    return clinic.book(first or clinic.slot(), who), clinic.book(second, who, dose_number=2)


def active(clinic, person_id) -> Appointment | None:
    with clinic.doors.reading() as db:
        assert differences(db) == []
        return db.scalar(select(Appointment).filter_by(person_id=person_id, state="booked"))


def told(clinic, person_id) -> list[str]:
    with clinic.doors.reading() as db:
        query = select(Message.template).filter_by(person_id=person_id).order_by(Message.id)
        return list(db.scalars(query))


def given(clinic, appointment: Appointment, later: int = 0, **how: Any) -> None:
    """Record a dose so many days after its appointment."""
    clinic.record(appointment, given_at=appointment.starts_at + timedelta(days=later), **how)


def test_a_dose_given_on_its_day_leaves_the_next_appointment_alone(clinic, who):
    first, second = both(clinic, who, clinic.slot(day(25)))
    given(clinic, first)
    assert active(clinic, first.person_id).id == second.id
    assert "replanned" not in told(clinic, first.person_id)


def test_a_dose_given_later_moves_the_next_to_the_nearest_time_that_is_free(clinic, who):
    old, full, near, _ = (clinic.slot(day(n), capacity=1) for n in (22, 27, 28, 35))
    first, second = both(clinic, who, old)
    clinic.book(full)
    given(clinic, first, later=5)
    now = active(clinic, first.person_id)
    assert (now.slot_id, now.dose_number) == (near.id, 2)
    assert now.reference != second.reference
    assert told(clinic, first.person_id).count("replanned") == 1
    clinic.book(old)  # the place that was left is free


def test_the_next_dose_is_planned_anew_at_its_own_site_alone(clinic, who):
    with clinic.doors.transaction() as db:
        elsewhere = make_site(db)
    clinic.slot(day(28), site=elsewhere)
    first, _ = both(clinic, who, clinic.slot(day(22)))
    given(clinic, first, later=5)
    assert active(clinic, first.person_id) is None
    assert "too_early" in told(clinic, first.person_id)


def test_a_dose_too_late_is_moved_forward_and_kept_where_nothing_is_free(clinic, who):
    begin, end = clinic.slot(), clinic.slot(day(60))
    first, second = both(clinic, who, end, begin)
    given(clinic, first)
    assert active(clinic, first.person_id).id == second.id
    sooner = clinic.slot(day(40))
    first, _ = both(clinic, details(), end, begin)
    given(clinic, first)
    assert active(clinic, first.person_id).slot_id == sooner.id


def test_another_product_than_planned_is_followed_by_its_own_rule(clinic, who):
    """After a dose that makes a series of one, a booster of it is due, and not in three weeks."""
    first, _ = both(clinic, who, clinic.slot(day(22)))
    given(clinic, first, product=JCOVDEN)
    assert active(clinic, first.person_id) is None
    assert "too_early" in told(clinic, first.person_id)


def test_what_a_dose_elsewhere_changes_is_planned_anew_too(clinic, who):
    first, _ = both(clinic, who, clinic.slot(day(22)))
    later = clinic.slot(day(27))
    clinic.elsewhere(first.person_id, str(day(6)), now=first.starts_at + 6 * DAY)
    assert later.id == active_second(clinic, first).slot_id


def active_second(clinic, first: Appointment) -> Appointment:
    with clinic.doors.reading() as db:
        query = select(Appointment).filter_by(person_id=first.person_id, dose_number=2)
        return db.scalars(query.where(Appointment.state == "booked")).one()


def test_two_next_doses_that_want_the_last_place_share_no_place(clinic, who):
    """The second of them is given back, and its person told."""
    begin, end, last = (clinic.slot(day(n), capacity=2 - n // 28) for n in (1, 22, 28))
    mine = [both(clinic, each, end, begin)[0] for each in (who, details())]
    for first in mine:
        given(clinic, first, later=5)
    found = [active(clinic, first.person_id) for first in mine]
    assert [each and each.slot_id for each in found] == [last.id, None]


def test_a_held_second_dose_moves_and_stays_held_with_its_party(clinic):
    slots = [clinic.slot(day(n)) for n in (1, 22, 30)]
    person = clinic.doors.run(lambda db: enrolled(db, clinic))
    deed = {"vault": clinic.vault, "now": NOW}
    actor = audit.Actor("citizen", person.id)

    def hold(db):
        wishes = [Wish(person, slots[n].id, n + 1) for n in (0, 1)]
        return parties.hold(db, wishes=wishes, source="web", actor=actor, **deed)

    party = clinic.doors.run(hold)
    second = party.appointments[1]
    moved = clinic.doors.run(
        lambda db: moving.move(
            db, appointment_id=second.id, person_id=person.id, slot_id=slots[2].id, **deed
        )
    )
    assert (moved.state, moved.party_id, moved.held_until) == ("held", party.id, party.until)
    done = clinic.doors.run(lambda db: parties.confirm(db, party_id=party.id, actor=actor, **deed))
    assert [a.state for a in done if a.state != "cancelled"] == ["booked"] * 2
    assert active_second(clinic, done[0]).slot_id == slots[2].id
    with clinic.doors.reading() as db:
        assert [db.get_one(Slot, slot.id).booked for slot in slots] == [1, 0, 1]


def move(clinic, old: Appointment, slot: Slot) -> Appointment:
    deed = {"vault": clinic.vault, "appointment_id": old.id, "person_id": old.person_id}
    return clinic.doors.run(lambda db: moving.move(db, slot_id=slot.id, now=NOW, **deed))


def test_who_moves_a_dose_takes_the_next_along_where_it_would_come_too_soon(clinic):
    first, second = both(clinic, details(), clinic.slot(day(25)))
    fits, near, _far = (clinic.slot(day(n)) for n in (4, 41, 50))
    first = move(clinic, first, fits)
    assert active_second(clinic, first).id == second.id
    first = move(clinic, first, clinic.slot(day(20)))
    assert active_second(clinic, first).slot_id == near.id
    assert told(clinic, first.person_id)[-2:] == ["moved", "replanned"]


def test_who_moves_a_dose_loses_no_place_where_there_is_none_for_the_next(clinic):
    old = clinic.slot()
    first, second = both(clinic, details(), clinic.slot(day(25)), old)
    late = clinic.slot(day(20))
    with pytest.raises(NextDoseFull):
        move(clinic, first, late)
    assert active_second(clinic, first).id == second.id
    with clinic.doors.reading() as db:
        assert [db.get_one(Slot, slot.id).booked for slot in (old, late)] == [1, 0]
        assert differences(db) == []
    assert told(clinic, first.person_id) == ["booked", "booked"]


def test_who_moves_to_another_product_takes_the_next_along_to_it(clinic):
    first, _ = both(clinic, details(), clinic.slot(day(25)))
    other = clinic.slot(day(90), product=JCOVDEN)
    first = move(clinic, first, clinic.slot(day(2), product=JCOVDEN))
    assert active_second(clinic, first).slot_id == other.id


def enrolled(db, clinic) -> Person:
    return enrolment.enrol(db, vault=clinic.vault, details=details(), now=NOW)


def remind(clinic, now: datetime) -> int:
    of = {"vault": clinic.vault, "quiet": clinic.country.quiet_hours, "now": now}
    return clinic.doors.run(lambda db: reminding.remind(db, **of))


def test_people_are_reminded_three_days_and_one_day_before_and_not_again(clinic):
    appointment = clinic.book(clinic.slot(day(10)))
    hours = (73, 71, 70, 50, 25, 23.5, 23, 1)
    counts = [remind(clinic, appointment.ends_at - timedelta(hours=h)) for h in hours]
    assert counts == [0, 1, 0, 0, 0, 1, 0, 0]
    assert told(clinic, appointment.person_id) == ["booked", "reminder", "reminder"]


def test_nobody_is_reminded_of_what_was_cancelled_or_moved_or_booked_just_now(clinic):
    slot = clinic.slot(day(10), capacity=3)
    cancelled, moved = (clinic.book(slot) for _ in range(2))
    deed = {"vault": clinic.vault, "now": NOW}
    clinic.doors.run(
        lambda db: booking.cancel(
            db, appointment_id=cancelled.id, person_id=cancelled.person_id, **deed
        )
    )
    new = clinic.slot(day(20))
    clinic.doors.run(
        lambda db: moving.move(
            db, appointment_id=moved.id, person_id=moved.person_id, slot_id=new.id, **deed
        )
    )
    at = moved.ends_at - 3 * DAY
    late = clinic.book(slot, now=at - timedelta(hours=2))
    assert remind(clinic, at) == 0
    assert remind(clinic, new.ends_at - 3 * DAY) == 1
    assert "reminder" not in told(clinic, cancelled.person_id) + told(clinic, late.person_id)


def test_who_did_not_come_is_told_once_and_may_book_again(clinic):
    who, slot = details(), clinic.slot(day(2))
    missed, came = clinic.book(slot, who), clinic.book(slot)
    clinic.doors.run(
        lambda db: arrive(
            db, appointment_id=came.id, site_id=clinic.site.id, staff_id=clinic.nurse.id,
            now=came.starts_at,
        )
    )  # fmt: skip
    after = missed.ends_at + sweeping.GIVEN_UP_AFTER
    clinic.doors.run(lambda db: sweeping.sweep(db, now=after))
    zone = ZoneInfo(clinic.site.time_zone)
    assert after.astimezone(zone).hour in {0, 1}, "nobody is told at night that they were missed"
    morning = after.astimezone(zone).replace(hour=8, minute=0)
    told_at = (after, morning - timedelta(minutes=1), morning, morning + timedelta(minutes=1))
    assert [remind(clinic, at) for at in told_at] == [0, 0, 1, 0]
    assert told(clinic, missed.person_id) == ["booked", "missed"]
    assert told(clinic, came.person_id) == ["booked"]
    assert clinic.book(clinic.slot(day(5)), who, now=after).state == "booked"
