"""Parties: all of them or none, held for a while, confirmed once."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from healthcert.errors import (
    AlreadyBooked,
    BadInput,
    HoldExpired,
    NotEligible,
    NotFound,
    Refusal,
    SlotFull,
    TimesOverlap,
    WrongState,
)
from healthcert.models import Appointment, ClinicSession, Message, Person, Slot, WaitEntry, new_id
from healthcert.services import booking, enrolment, parties, places, sweeping
from healthcert.services.audit import STRANGER
from healthcert.services.parties import HOLD, Party, Wish
from healthcert.services.reconciling import differences
from tests.factories import NOW, add, day, make_site
from tests.services.clinic import JCOVDEN, book_for, details
from tests.statements import sent
from tests.threads import at_once

LATER = NOW + HOLD


def person(clinic, **told: Any) -> Person:
    return clinic.doors.run(
        lambda db: enrolment.enrol(db, vault=clinic.vault, details=details(**told), now=NOW)
    )


def hold(clinic, *wishes: tuple[Person, Slot, int], now: datetime = NOW, **how: Any) -> Party:
    told = {"vault": clinic.vault, "source": "web", "actor": STRANGER, "now": now} | how
    wanted = [Wish(who, slot.id, number) for who, slot, number in wishes]
    return clinic.doors.run(lambda db: parties.hold(db, wishes=wanted, **told))


def confirm(clinic, party: Party, now: datetime = NOW) -> list[Appointment]:
    told = {"vault": clinic.vault, "actor": STRANGER, "now": now}
    return clinic.doors.run(lambda db: parties.confirm(db, party_id=party.id, **told))


def let_go(clinic, party: Party) -> None:
    clinic.doors.run(lambda db: parties.let_go(db, party_id=party.id, actor=STRANGER, now=NOW))


def booked(clinic, *slots: Slot) -> list[int]:
    with clinic.doors.reading() as db:
        assert differences(db) == []
        return [db.get_one(Slot, slot.id).booked for slot in slots]


def states(clinic) -> list[str]:
    with clinic.doors.reading() as db:
        return list(db.scalars(select(Appointment.state).order_by(Appointment.id)))


def cancel(clinic, appointment: Appointment) -> None:
    clinic.doors.run(
        lambda db: booking.cancel(
            db, vault=clinic.vault, appointment_id=appointment.id,
            person_id=appointment.person_id, now=NOW,
        )
    )  # fmt: skip


def waiting(clinic, site_id: UUID | None = None) -> None:
    """Let somebody wait for the programme."""
    with clinic.doors.transaction() as db:
        who = enrolment.enrol(db, vault=clinic.vault, details=details(), now=NOW)
        row = {"programme_id": clinic.programme.id, "site_id": site_id, "state": "waiting"}
        add(db, WaitEntry(person_id=who.id, recorded_at=NOW, turn_on=day(0), **row))


def test_a_family_is_held_with_both_doses_and_confirmed_together(clinic):
    first, second = clinic.slot(capacity=3), clinic.slot(day(29), capacity=3, kept_second_dose=1)
    family = [person(clinic) for _ in range(3)]
    wishes = [(who, slot, n) for who in family for n, slot in ((1, first), (2, second))]
    party = hold(clinic, *wishes)
    assert [(a.person_id, a.dose_number) for a in party.appointments] == [
        (who.id, number) for who, _, number in wishes
    ]
    assert {a.state for a in party.appointments} == {"held"}
    assert party.until == NOW + HOLD
    assert booked(clinic, first, second) == [3, 3]
    done = confirm(clinic, party)
    assert {a.state for a in done} == {"booked"}
    assert [a.id for a in done] == [a.id for a in party.appointments]
    assert sorted(a.pool for a in done) == ["online"] * 5 + ["second_dose"]
    with clinic.doors.reading() as db:
        assert [m.template for m in db.scalars(select(Message))] == ["booked"] * 6


def test_a_party_that_does_not_fit_leaves_nothing(clinic):
    slots = [clinic.slot(day(n), capacity=1) for n in (1, 2, 3)]
    clinic.book(slots[1])
    with pytest.raises(SlotFull) as refused:
        hold(clinic, *((person(clinic), slot, 1) for slot in slots))
    assert refused.value.which == 1
    assert booked(clinic, *slots) == [0, 1, 0]
    assert states(clinic) == ["booked"]


@pytest.mark.parametrize(("people", "wrong"), [(0, "missing"), (9, "too_many")])
def test_a_party_has_one_to_eight_people(clinic, people, wrong):
    slot = clinic.slot(capacity=9)
    with pytest.raises(BadInput) as refused:
        hold(clinic, *((person(clinic), slot, 1) for _ in range(people)))
    assert refused.value.fields == {"people": wrong}


def test_a_party_has_sixteen_places_at_most(clinic):
    who = person(clinic)
    slots = [clinic.slot(day(n)) for n in range(1, 18)]
    with pytest.raises(BadInput):
        hold(clinic, *((who, slot, 1) for slot in slots))


def test_each_refusal_says_which_wish_it_is_about(clinic):
    slot, other = clinic.slot(capacity=9), clinic.slot(product=JCOVDEN)
    grown, child = person(clinic), person(clinic, birth_date=f"{day(-365 * 5)}")
    for wishes, refusal, which in (
        ([(grown, slot, 1), (child, slot, 1)], NotEligible, 1),
        ([(grown, slot, 1), (grown, clinic.slot(day(2)), 1)], AlreadyBooked, None),
        ([(grown, slot, 1), (grown, other, 2)], TimesOverlap, None),
        ([(grown, slot, 1), (grown, clinic.slot(day(10)), 2)], NotEligible, 1),
        ([(grown, slot, 1), (child, Slot(id=new_id()), 1)], NotFound, 1),
    ):
        with pytest.raises(refusal) as refused:
            hold(clinic, *wishes)
        assert which is None or refused.value.which == which
    assert booked(clinic, slot, other) == [0, 0]


@pytest.mark.parametrize(("days", "fits"), [(21, False), (22, True)])
def test_a_second_dose_is_judged_by_the_appointment_of_the_first(clinic, days, fits):
    """Tomorrow and 21 days on is day 22."""
    who, slots = person(clinic), (clinic.slot(), clinic.slot(day(days)))
    wishes = [(who, slots[1], 2), (who, slots[0], 1)]
    if fits:
        assert len(hold(clinic, *wishes).appointments) == 2
        return
    with pytest.raises(NotEligible) as refused:
        hold(clinic, *wishes)
    assert refused.value.which == 0


def test_a_second_dose_booked_alone_keeps_its_distance_to_the_appointment_of_the_first(clinic):
    who = details()
    clinic.book(clinic.slot(), who)
    with pytest.raises(booking.NotDue):
        clinic.book(clinic.slot(day(21)), who, dose_number=2)
    assert clinic.book(clinic.slot(day(22)), who, dose_number=2).state == "booked"


def test_a_hold_and_its_confirmation_take_three_statements_each(clinic):
    slot = clinic.slot(capacity=3)
    confirm(clinic, hold(clinic, (person(clinic), slot, 1)))  # a process reads the rules once
    who = person(clinic)
    with sent(clinic.doors.engine) as holding:
        party = hold(clinic, (who, slot, 1))
    with sent(clinic.doors.engine) as confirming:
        confirm(clinic, party)
    counts = [
        sum(not each.startswith(("PRAGMA", "BEGIN")) for each in told)
        for told in (holding, confirming)
    ]
    one_writes_all = clinic.doors.engine.dialect.name == "postgresql"
    assert counts == ([3, 3] if one_writes_all else [6, 5])
    assert booked(clinic, slot) == [2]


def test_confirming_twice_gives_the_first_answer_and_tells_once(clinic):
    party = hold(clinic, (person(clinic), clinic.slot(), 1))
    first, second = confirm(clinic, party), confirm(clinic, party, LATER)
    assert [a.reference for a in first] == [a.reference for a in second]
    with clinic.doors.reading() as db:
        assert len(db.scalars(select(Message)).all()) == 1


def test_what_is_held_too_long_goes_to_who_comes(clinic):
    slot = clinic.slot(capacity=1, kept_second_dose=0)
    party = hold(clinic, (person(clinic), slot, 1))
    with pytest.raises(SlotFull):
        clinic.book(slot, now=LATER - timedelta(seconds=1))
    clinic.book(slot, now=LATER)
    assert states(clinic) == ["expired", "booked"]
    with pytest.raises(SlotFull) as refused:
        confirm(clinic, party, LATER)
    assert refused.value.which == 0
    assert booked(clinic, slot) == [1]


def test_a_party_gets_every_place_that_was_held_too_long(clinic):
    slot = clinic.slot(capacity=2)
    hold(clinic, *((person(clinic), slot, 1) for _ in range(2)))
    party = hold(clinic, *((person(clinic), slot, 1) for _ in range(2)), now=LATER)
    assert (states(clinic)[:2], booked(clinic, slot)) == (["expired"] * 2, [2])
    assert len(confirm(clinic, party, LATER)) == 2


def test_a_late_confirmation_takes_a_place_again_while_there_is_one(clinic):
    first, second = clinic.slot(capacity=2), clinic.slot(day(22), capacity=1)
    who = person(clinic)
    party = hold(clinic, (who, first, 1), (who, second, 2))
    clinic.doors.run(lambda db: sweeping.sweep(db, now=LATER))
    assert (states(clinic), booked(clinic, first, second)) == (["expired"] * 2, [0, 0])
    with clinic.doors.reading() as db:
        assert [a.state for a in parties.held(db, party_id=party.id).appointments] == [
            "expired"
        ] * 2
    assert {a.state for a in confirm(clinic, party, LATER)} == {"booked"}
    assert booked(clinic, first, second) == [1, 1]


def test_a_late_confirmation_of_which_one_place_is_gone_changes_nothing(clinic):
    first, second = clinic.slot(capacity=2), clinic.slot(day(22), capacity=1)
    who = person(clinic)
    party = hold(clinic, (who, first, 1), (who, second, 2))
    clinic.doors.run(lambda db: sweeping.sweep(db, now=LATER))
    clinic.book(second, now=LATER)
    with pytest.raises(SlotFull) as refused:
        confirm(clinic, party, LATER)
    assert refused.value.which == 1
    assert booked(clinic, first, second) == [0, 1]


def test_who_booked_meanwhile_is_told_so_by_a_late_confirmation(clinic):
    slot, told = clinic.slot(), details()
    who = clinic.doors.run(
        lambda db: enrolment.enrol(db, vault=clinic.vault, details=told, now=NOW)
    )
    party = hold(clinic, (who, slot, 1))
    clinic.doors.run(lambda db: sweeping.sweep(db, now=LATER))
    clinic.book(clinic.slot(day(2)), told, now=LATER)
    with pytest.raises(AlreadyBooked):
        confirm(clinic, party, LATER)
    assert booked(clinic, slot) == [0]


def test_nothing_is_confirmed_when_its_time_has_come_or_its_session_is_gone(clinic):
    slot, other = clinic.slot(), clinic.slot(day(2))
    party, gone = (hold(clinic, (person(clinic), each, 1)) for each in (slot, other))
    with pytest.raises(HoldExpired):
        confirm(clinic, party, slot.starts_at)
    with clinic.doors.transaction() as db:
        db.get_one(ClinicSession, other.session_id).state = "cancelled"
    with pytest.raises(NotFound):
        confirm(clinic, gone)


def test_what_is_let_go_is_free_at_once_and_for_good(clinic):
    slot = clinic.slot(capacity=1)
    party = hold(clinic, (person(clinic), slot, 1))
    let_go(clinic, party)
    assert (states(clinic), booked(clinic, slot)) == (["cancelled"], [0])
    for deed in (let_go, confirm):
        with pytest.raises(WrongState):
            deed(clinic, party)
    clinic.book(slot)


def test_what_is_let_go_after_its_time_is_not_confirmed_later(clinic):
    party = hold(clinic, (person(clinic), clinic.slot(), 1))
    clinic.doors.run(lambda db: sweeping.sweep(db, now=LATER))
    let_go(clinic, party)
    with pytest.raises(WrongState):
        confirm(clinic, party)


def test_a_party_that_is_none_is_not_found(clinic):
    party = Party(new_id(), NOW, [])
    for deed in (let_go, confirm):
        with pytest.raises(NotFound):
            deed(clinic, party)


def test_two_parties_that_want_the_same_places_crosswise_do_not_wait_for_each_other(clinic):
    slots = [clinic.slot(day(n), capacity=2) for n in (1, 2)]
    groups = [[person(clinic), person(clinic)] for _ in range(4)]

    def book(turn: int) -> Party:
        order = slots if turn % 2 else slots[::-1]
        return hold(clinic, *((who, slot, 1) for who, slot in zip(groups[turn], order)))  # noqa: B905

    came_of_it = at_once(4, book)
    assert sum(isinstance(each, Party) for each in came_of_it) == 2
    assert sum(isinstance(each, SlotFull) for each in came_of_it) == 2
    assert booked(clinic, *slots) == [2, 2]


def test_confirming_races_with_somebody_who_takes_what_is_over(clinic):
    for number in range(6):
        slot = clinic.slot(day(number + 1), capacity=1)
        party = hold(clinic, (person(clinic), slot, 1))

        def race(turn: int, slot: Slot = slot, party: Party = party) -> object:
            return confirm(clinic, party, LATER) if turn else clinic.book(slot, now=LATER)

        came_of_it = at_once(2, race)
        assert sum(isinstance(each, SlotFull) for each in came_of_it) == 1, came_of_it
        assert sum(not isinstance(each, Refusal) for each in came_of_it) == 1
        assert booked(clinic, slot) == [1]


def test_a_freed_place_is_kept_for_those_who_wait(clinic):
    slot = clinic.slot(capacity=2)
    mine, _ = clinic.book(slot), clinic.book(slot)
    waiting(clinic)
    cancel(clinic, mine)
    with pytest.raises(SlotFull):
        clinic.book(slot)
    who = person(clinic)
    offered = clinic.doors.run(
        lambda db: booking.take(
            db, vault=clinic.vault, person_id=who.id, slot_id=slot.id, dose_number=1, source="sms",
            actor=STRANGER, pools=("waiting",), now=NOW,
        )
    )  # fmt: skip
    assert (offered.pool, booked(clinic, slot)) == ("waiting", [2])
    cancel(clinic, offered)
    with clinic.doors.reading() as db:
        assert db.get_one(Slot, slot.id).places(["waiting"]) == 1


@pytest.mark.parametrize("waits", ["elsewhere", "nowhere"])
def test_a_freed_place_is_open_while_nobody_waits_for_the_site(clinic, waits):
    slot, other = clinic.slot(capacity=1), clinic.slot(day(2))
    mine = clinic.book(slot)
    if waits == "elsewhere":
        with clinic.doors.transaction() as db:
            elsewhere = make_site(db).id
        waiting(clinic, elsewhere)
    cancel(clinic, mine)
    clinic.book(slot)
    assert booked(clinic, slot, other) == [1, 0]


def test_a_place_that_nobody_waits_for_any_more_is_open_again(clinic):
    slot = clinic.slot(capacity=1, kept_waiting=1)
    who = person(clinic)
    mine = clinic.doors.run(
        lambda db: booking.take(
            db, vault=clinic.vault, person_id=who.id, slot_id=slot.id, dose_number=1, source="sms",
            actor=STRANGER, pools=("waiting",), now=NOW,
        )
    )  # fmt: skip
    cancel(clinic, mine)
    clinic.book(slot)


def test_who_holds_and_lets_go_closes_no_slot_to_others(clinic):
    slot = clinic.slot(capacity=1)
    waiting(clinic)
    let_go(clinic, hold(clinic, (person(clinic), slot, 1)))
    hold(clinic, (person(clinic), slot, 1))
    clinic.book(slot, now=LATER)


def test_kept_places_nobody_took_are_opened_so_many_hours_before(clinic):
    kept = {"kept_phone": 1, "kept_walk_in": 1, "kept_second_dose": 1, "kept_waiting": 1}
    slot = clinic.slot(day(3), capacity=5, **kept)
    far = clinic.slot(day(60), capacity=5, **kept)
    hours = clinic.country.release_hours

    def left(before: float) -> tuple[int, int]:
        now = slot.starts_at - timedelta(hours=before)
        count = clinic.doors.run(lambda db: places.release(db, hours=hours, now=now))
        with clinic.doors.reading() as db:
            return count, db.get_one(Slot, slot.id).places()

    assert [left(hours) for hours in (49, 48, 25, 24, 24, 6, 1)] == [
        (0, 1), (1, 2), (0, 2), (1, 3), (0, 3), (1, 4), (0, 4),
    ]  # fmt: skip
    with clinic.doors.reading() as db:
        assert db.get_one(Slot, far.id).places() == 1
        assert db.get_one(Slot, slot.id).kept_walk_in == 1


def test_a_kept_place_that_is_taken_stays_so_when_the_others_open(clinic):
    slot = clinic.slot(capacity=3, kept_phone=2)
    mine = clinic.doors.run(
        lambda db: book_for(
            db, vault=clinic.vault, slot_id=slot.id, dose_number=1, details=details(),
            source="phone", now=NOW - timedelta(days=2),
        )
    )  # fmt: skip
    clinic.doors.run(
        lambda db: places.release(db, hours=clinic.country.release_hours, now=slot.starts_at)
    )
    assert (mine.pool, booked(clinic, slot)) == ("phone", [1])
    with clinic.doors.reading() as db:
        found = db.get_one(Slot, slot.id)
        assert (found.kept_phone, found.places()) == (1, 2)


@pytest.mark.parametrize(("typed", "word"), [(False, TimesOverlap), (True, AlreadyBooked)])
def test_a_stranger_is_not_told_when_somebody_is_booked(clinic, typed, word):
    """Whose number they know: the word is that for any other clash, also when they confirm late."""
    who, other, slot = person(clinic), person(clinic), clinic.slot(product=JCOVDEN)
    how = {"vault": clinic.vault, "actor": STRANGER}
    wishes = [Wish(other, clinic.slot(day(4)).id, 1), Wish(who, slot.id, 2, typed=typed)]
    hold_them = partial(parties.hold, wishes=wishes, source="web", **how)
    late = clinic.doors.run(partial(hold_them, now=NOW - timedelta(hours=1)))
    clinic.doors.run(lambda db: sweeping.sweep(db, now=NOW))
    theirs = hold(clinic, (who, clinic.slot(), 1))
    told = {"party_id": late.id, "typed": {1} if typed else (), "now": NOW}
    for deed in (partial(hold_them, now=NOW), partial(parties.confirm, **how, **told)):
        with pytest.raises(word) as refusal:
            clinic.doors.run(deed)
        assert (type(refusal.value), refusal.value.which) == (word, 1)
    confirm(clinic, theirs)


def test_who_types_one_person_twice_is_told_that_the_times_clash(clinic):
    who, slots = person(clinic), [clinic.slot(), clinic.slot(product=JCOVDEN)]
    wishes = [Wish(who, each.id, n, typed=True) for n, each in enumerate(slots, 1)]
    how = {"vault": clinic.vault, "source": "web", "actor": STRANGER, "now": NOW}
    with pytest.raises(TimesOverlap):
        clinic.doors.run(partial(parties.hold, wishes=wishes, **how))
