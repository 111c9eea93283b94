"""What a program is offered for a later dose that it cannot have: that dose, within its days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from healthcert.jobs import places
from healthcert.models import (
    Appointment,
    ClinicSession,
    Offer,
    Product,
    Programme,
    Site,
    Slot,
    WaitEntry,
)
from tests import factories
from tests.certificates import NOW
from tests.web.api.test_clinic import ask
from tests.web.api.test_for_them import WAIT, wanted
from tests.web.api.test_parties import wish
from tests.web.api.test_problems import offered

__all__ = ["wanted"]
ON = "sqlite"  # what is searched is the same on both engines; that it is found, services test

OTHERS = {"family": "Kanari", "identity": {"kind": "passport", "value": "KANARI 78"}}


@pytest.fixture
def on(parts, clinic):
    """Return the slots of days from now, made as they are asked for; the places of one are kept."""
    made = {}

    def slots(*days, kept=()):
        with parts.doors.transaction() as db:
            of = {
                "programme": db.get_one(Programme, clinic.programme_id),
                "product": db.get_one(Product, clinic.product_id),
                "site": db.get_one(Site, clinic.site_id),
            }
            for day in {*days} - made.keys():
                at, places = NOW + timedelta(days=day, hours=1), {"kept_second_dose": 2}
                session = factories.make_session(db, day=at.date(), **of)
                more = places if day in kept else {}
                made[day] = factories.make_slot(db, session=session, starts_at=at, **more).id
        return [made[day] for day in days]

    return slots


def fill(parts, slot_id):
    with parts.doors.transaction() as db:
        full = {"booked": Slot.capacity, "kept_second_dose": 0, "kept_waiting": 0}
        db.execute(update(Slot).where(Slot.id == slot_id).values(**full))


def dose(clinic, number, slot_id, **changes):
    return wish(clinic, **changes) | {"slot_id": str(slot_id), "dose_number": number}


def test_a_second_dose_held_too_long_is_offered_as_one_within_its_days(
    parts, clinic, on, program, clock
):
    early, lost, kept, last, late = on(20, 28, 30, 42, 43, kept=[30])
    both = [wish(clinic), dose(clinic, 2, lost)]
    who = program()
    held = who.post("/parties", {"wishes": both}).json
    clock.pass_by(minutes=11)
    with parts.doors.transaction() as db:
        db.execute(update(Slot).where(Slot.id == lost).values(capacity=1))
    others = {"wishes": [dose(clinic, 2, lost, **OTHERS)]}
    assert program().post("/parties", others).status_code == 201
    answer = who.post(f"/parties/{held['id']}/confirm", {"key": held["key"]})
    assert (answer.json["code"], answer.json["which"]) == ("hold_expired", 1)
    assert offered(answer) == [kept, last]
    fill(parts, kept)
    fill(parts, last)
    [soon] = on(22)
    answer = who.post(f"/parties/{held['id']}/confirm", {"key": held["key"]})
    assert offered(answer) == [soon], "before the day that was lost, and not too early or too late"
    assert {early, late}.isdisjoint(offered(answer))


def test_a_second_dose_is_offered_within_the_days_of_the_first_that_goes_with_it(
    parts, clinic, on, program
):
    lost, kept, _late = on(28, 30, 43, kept=[30])
    fill(parts, lost)
    answer = program().post("/parties", {"wishes": [wish(clinic), dose(clinic, 2, lost)]})
    assert (answer.json["code"], answer.json["which"]) == ("slot_full", 1)
    assert offered(answer) == [kept]


@pytest.fixture
def both(parts, clinic, on, program):
    """Book somebody for today and in four weeks; return their program and what they have."""
    [then] = on(28)
    who = program()
    party = who.post("/parties", {"wishes": [wish(clinic), dose(clinic, 2, then)]}).json
    booked = who.post(f"/parties/{party['id']}/confirm", {"key": party["key"]}).json
    with parts.doors.reading() as db:
        person = db.scalars(select(Appointment.person_id).distinct()).one()
    return program(person=person), [each["id"] for each in booked["appointments"]]


def test_a_second_dose_that_is_moved_is_offered_as_one_within_its_days(parts, on, both):
    who, (_first, second) = both
    _early, lost, kept, _late = on(20, 35, 30, 43, kept=[30])
    fill(parts, lost)
    path, body = f"/appointments/{second}/move", {"slot_id": str(lost)}
    told = offered(who.post(path, body, If_Match="*"))
    assert told == [kept], "nor the place that they have"


def test_the_days_of_a_record_are_told_to_whose_it_is_and_to_nobody_who_types(
    parts, clinic, on, both, program
):
    who, (_first, second) = both
    assert who.post(f"/appointments/{second}/cancel", If_Match="*").status_code == 204
    lost, last, late = on(35, 42, 43)
    fill(parts, lost)
    own = {"slot_id": str(lost), "dose_number": 2}
    assert offered(who.post("/parties", {"wishes": [own]})) == [last]
    typed = program().post("/parties", {"wishes": [dose(clinic, 2, lost)]})
    assert offered(typed) == [last, late]


def test_a_second_dose_asked_for_after_its_days_is_offered_as_soon_as_can_be(parts, on, both):
    who, (_first, second) = both
    lost, soon = on(50, 51)
    fill(parts, lost)
    answer = who.post(f"/appointments/{second}/move", {"slot_id": str(lost)}, If_Match="*")
    assert offered(answer) == [soon]


def test_a_time_that_overlaps_is_not_offered_again(parts, citizen, fever):
    who = citizen()
    with parts.doors.reading() as db:
        query = select(Slot.id).join(ClinicSession).where(ClinicSession.programme_id == fever)
        same, *others = db.scalars(query.order_by(Slot.starts_at))
    answer = who.post("/parties", {"wishes": [{"slot_id": str(same)}]})
    assert answer.json["code"] == "times_overlap"
    assert offered(answer) == others


@pytest.mark.parametrize("role", [None, "clerk"])
def test_an_offered_place_that_others_took_is_answered_with_the_next(
    parts, clinic, wanted, program, role
):
    ask(program(), WAIT, wanted, 201)
    with parts.doors.transaction() as db:
        kept = {"kept_waiting": 1, "booked": Slot.capacity - 1}
        db.execute(update(Slot).where(Slot.id == clinic.slots[1]).values(**kept))
        whose = db.scalars(select(WaitEntry.person_id)).one()
    assert places.offer(parts, NOW) == 1
    fill(parts, clinic.slots[1])
    with parts.doors.reading() as db:
        offer = db.scalars(select(Offer.id)).one()
    path, who = f"/offers/{offer}/accept", program(person=whose)
    if role:
        path, who = f"/clinic{path}", program(role)
    answer = who.post(path)
    assert answer.json["code"] == "slot_full"
    assert offered(answer) == [clinic.slots[2]]
