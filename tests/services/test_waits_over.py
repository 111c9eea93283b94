"""A wait that is over ends at once, with what is offered; one that is not goes on where it was."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update

from healthcert.models import (
    AuditEvent,
    ClinicSession,
    Offer,
    Person,
    Programme,
    Slot,
    WaitEntry,
)
from healthcert.services import (
    lapsing,
    parties,
    safety,
    sweeping,
    unbooked,
    vaccination,
    waits,
)
from healthcert.services.audit import Actor
from healthcert.services.facts import Told
from healthcert.services.reconciling import differences
from tests.factories import NOW, day, make_appointment, make_slot
from tests.services.clinic import COMIRNATY, details
from tests.services.test_eligibility import publish
from tests.services.test_waiting import Line

ALL = {"code": "all", "opens_on": str(day(-9)), "admits": {}}


@pytest.fixture
def line(clinic):
    clinic.lot()
    return Line(clinic)


@pytest.fixture
def offered(line):
    """Somebody who is offered a place on the third day, and the offer."""
    entry = line.join()
    line.fill(line.freed())
    return entry, line.open()[0]


def given(clinic, person_id, on=NOW):
    """Write down a dose that somebody was given without an appointment."""
    told = {"programme_id": clinic.programme.id, "product_id": clinic.products[COMIRNATY].id}
    return clinic.doors.run(
        lambda db: unbooked.write_down(
            db, vault=clinic.vault, person_id=person_id, told=Told("GOOD", "LA", on), now=on,
            staff=clinic.nurse, country=clinic.country, **told,
        )
    )  # fmt: skip


def how_it_is(clinic, offer):
    with clinic.doors.reading() as db:
        entry = db.get_one(WaitEntry, offer.wait_entry_id)
        return db.get_one(Offer, offer.id).state, entry.state


def test_a_dose_without_an_appointment_ends_the_wait_and_what_is_offered(line, clinic, offered):
    entry, offer = offered
    given(clinic, entry.person_id, NOW + timedelta(hours=1))
    assert how_it_is(clinic, offer) == ("withdrawn", "placed")
    assert line.told(entry) == ["waiting", "offer", "waiting_left", "dose_unbooked"]
    other = line.join(now=NOW + timedelta(hours=2))
    with clinic.doors.reading() as db:
        slot = db.get_one(Slot, offer.slot_id)
        acts = set(db.scalars(select(AuditEvent.act).filter_by(subject_id=entry.id)))
    assert acts >= {"offer_withdrawn", "waiting_ended"}
    assert line.fill(slot, NOW + timedelta(hours=3)) == 1  # the place goes to the next
    assert line.open()[0].person_id == other.person_id


def test_a_dose_before_the_wait_began_ends_it_not(line, clinic):
    who = details()
    clinic.vaccinated(day(0), who, given_at=NOW - timedelta(hours=1))
    entry = line.join(who, now=NOW + timedelta(hours=2))
    line.fill(line.freed(day(30)), NOW + timedelta(hours=2))
    [offer] = line.open()
    assert how_it_is(clinic, offer) == ("open", "offered")
    assert line.answer(offer, now=NOW + timedelta(hours=3)).dose_number == 2
    assert line.state(entry) == "placed"


def test_what_is_offered_too_soon_after_a_dose_elsewhere_goes_to_the_next(line, clinic, offered):
    """They had their first dose days before they joined: they wait on, for the second."""
    entry, offer = offered
    clinic.elsewhere(entry.person_id, str(day(-2)), now=NOW + timedelta(hours=1))
    assert how_it_is(clinic, offer) == ("withdrawn", "waiting")
    assert line.told(entry)[-1] == "offer_gone"


def booked(clinic, person_id, *, typed):
    with clinic.doors.transaction() as db:
        person = db.get_one(Person, person_id)
    slot = clinic.slot(day(9))
    wishes = [parties.Wish(person, slot.id, 1, typed=typed)]
    how = {"vault": clinic.vault, "actor": Actor("citizen", person_id), "now": NOW}
    held = clinic.doors.run(lambda db: parties.hold(db, wishes=wishes, source="web", **how))
    told = how | {"party_id": held.id, "typed": {0} if typed else ()}
    return clinic.doors.run(lambda db: parties.confirm(db, **told))


def test_whom_a_clinician_put_off_is_asked_for_no_earlier_place(line, clinic, offered):
    entry, offer = offered

    def put_off(db):
        screening = safety.screen(
            db, vault=clinic.vault, person_id=entry.person_id, programme_id=clinic.programme.id,
            questions_id=clinic.products[COMIRNATY].knowledge_id, answers={}, outcome="defer",
            staff=clinic.nurse, now=NOW,
        )  # fmt: skip
        safety.override(
            db, screening_id=screening.id, outcome="defer", reason="ill_today", until=day(9),
            staff=clinic.nurse, day=day(0), now=NOW,
        )  # fmt: skip
        person = db.get_one(Person, entry.person_id)
        waits.after_dose(db, vault=clinic.vault, persons=[person], now=NOW)

    clinic.doors.run(put_off)
    assert how_it_is(clinic, offer) == ("withdrawn", "waiting")
    assert line.fill(line.freed(day(8))) == 0
    assert line.fill(line.freed(day(9))) == 1


def test_who_books_by_themselves_waits_no_more(line, clinic, offered):
    entry, offer = offered
    booked(clinic, entry.person_id, typed=False)
    assert how_it_is(clinic, offer) == ("withdrawn", "placed")
    assert line.told(entry)[-2:] == ["booked", "waiting_left"]


def test_who_only_types_somebodys_details_ends_no_wait_of_theirs(line, clinic, offered):
    entry, offer = offered
    booked(clinic, entry.person_id, typed=True)
    assert how_it_is(clinic, offer) == ("open", "offered")
    assert line.close(NOW) == 1  # they have a place: this one is for the next
    assert how_it_is(clinic, offer) == ("withdrawn", "waiting")


def test_after_a_first_dose_nobody_stands_where_they_stood_for_it(line, clinic):
    who = details()
    early = line.join(who, now=NOW - timedelta(days=9))
    clinic.vaccinated(day(-1), who)
    assert line.state(early) == "placed"
    late = line.join()
    again = line.join(who, now=NOW + timedelta(hours=1))
    slot = line.freed(day(30))
    line.fill(slot, NOW + timedelta(hours=1))
    assert [offer.person_id for offer in line.open(slot)] == [late.person_id]
    assert line.state(again) == "waiting"


def test_a_wait_that_ended_otherwise_does_not_stop_the_round(line, clinic, offered):
    """Whatever the state of a wait, its offers end and those of all others go on."""
    _entry, offer = offered
    with clinic.doors.transaction() as db:
        mine = update(WaitEntry).where(WaitEntry.id == offer.wait_entry_id)
        db.execute(mine.values(state="left"))
    assert line.close(offer.ends_at) == 1
    assert how_it_is(clinic, offer) == ("lapsed", "left")


def test_who_is_elsewhere_at_that_hour_is_asked_for_another(line, clinic):
    away = line.join()
    next_one = line.join(now=NOW + timedelta(minutes=1))
    slot = line.freed()
    with clinic.doors.transaction() as db:
        there = make_slot(db, starts_at=slot.starts_at, ends_at=slot.ends_at, booked=1)
        session = db.get_one(ClinicSession, there.session_id)
        make_appointment(
            db, slot=there, person=db.get_one(Person, away.person_id),
            programme=db.get_one(Programme, session.programme_id),
        )  # fmt: skip
    assert line.fill(slot) == 1
    assert line.open(slot)[0].person_id == next_one.person_id
    assert line.state(away) == "waiting"


def test_what_the_rules_would_refuse_now_is_ended_and_the_wait_goes_on(clinic, offered):
    _entry, offer = offered
    again = partial(lapsing.judge_again, vault=clinic.vault, slot_id=offer.slot_id, now=NOW)
    clinic.doors.run(again)
    assert how_it_is(clinic, offer) == ("open", "offered")
    publish(clinic, ALL | {"opens_on": str(day(5))})
    clinic.doors.run(again)
    assert how_it_is(clinic, offer) == ("withdrawn", "waiting")


def test_a_dose_in_error_that_is_marked_so_leaves_the_wait_ended(clinic, offered):
    entry, offer = offered
    dose = given(clinic, entry.person_id, NOW + timedelta(hours=1))
    clinic.doors.run(
        lambda db: vaccination.mark_in_error(
            db, vault=clinic.vault, dose_id=dose.id, reason="not_given", staff=clinic.nurse,
            country=clinic.country, now=NOW + timedelta(hours=2),
        )
    )  # fmt: skip
    assert how_it_is(clinic, offer) == ("withdrawn", "placed")
    with clinic.doors.reading() as db:
        assert differences(db) == []


def test_who_missed_their_first_dose_and_books_it_anew_has_the_second_after_it(line, clinic):
    who, later = details(), clinic.slot(day(45))
    missed = clinic.book(clinic.slot(day(3)), who)
    clinic.book(clinic.slot(day(25)), who, dose_number=2)
    after = missed.ends_at + sweeping.GIVEN_UP_AFTER
    clinic.doors.run(lambda db: sweeping.sweep(db, now=after))
    with clinic.doors.transaction() as db:
        person = db.get_one(Person, missed.person_id)
    wishes = [parties.Wish(person, clinic.slot(day(20)).id, 1)]
    how = {"vault": clinic.vault, "actor": Actor("citizen", person.id), "now": after}
    held = clinic.doors.run(lambda db: parties.hold(db, wishes=wishes, source="web", **how))
    clinic.doors.run(lambda db: parties.confirm(db, party_id=held.id, **how))
    with clinic.doors.reading() as db:
        assert differences(db) == []
        assert db.get_one(Slot, later.id).booked == 1
    assert line.told(missed)[-2:] == ["booked", "replanned"]


def test_a_line_follows_its_phase_piece_by_piece(line, clinic):
    publish(clinic, ALL)
    entries = [line.join() for _ in range(5)]
    publish(clinic, ALL | {"opens_on": str(day(4))}, ALL | {"code": "more"})
    last, pieces = None, 0
    while last := clinic.doors.run(partial(waits.follow, most=2, after=last)):
        pieces += 1
    with clinic.doors.reading() as db:
        assert {db.get_one(WaitEntry, each.id).turn_on for each in entries} == {day(4)}
    assert pieces == 2
