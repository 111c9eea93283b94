"""The desk's booking through the interface: by telephone, and for who stands there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from healthcert.models import Appointment, AuditEvent, Product, Programme, Site, Slot
from tests import factories
from tests.certificates import NOW
from tests.web.api.test_parties import wish

WHERE = "/clinic/parties"


def made(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Appointment).order_by(Appointment.id)).all()


def sought(clinic, **more):
    return {"programme_id": str(clinic.programme_id), **more}


def hold(who, *wishes, status=201, **more):
    answer = who.post(WHERE, {"wishes": list(wishes), "source": "phone", **more})
    assert answer.status_code == status, answer.text
    return answer.json


@pytest.fixture
def clerk(program):
    return program("clerk")


def test_a_walk_in_stands_on_the_day_list_as_arrived(parts, clinic, clerk):
    [first, *_] = clerk.post("/clinic/slots/search", sought(clinic, source="walk_in")).json["items"]
    assert first["slot_ids"] == [str(clinic.slots[0])]
    party = hold(clerk, wish(clinic), source="walk_in")
    answer = clerk.post(f"{WHERE}/{party['id']}/confirm")
    assert (answer.status_code, answer.json["appointments"][0]["state"]) == (200, "arrived")
    [one] = made(parts)
    assert (one.state, one.source) == ("arrived", "walk_in")
    assert [each["state"] for each in clerk.get("/clinic/day").json["items"]] == ["arrived"]
    with parts.doors.reading() as db:
        [event] = db.scalars(select(AuditEvent).filter_by(act="appointment_booked"))
        assert event.actor_kind == "staff"
    again = clerk.post(f"{WHERE}/{party['id']}/confirm")
    assert (again.status_code, [each.state for each in made(parts)]) == (200, ["arrived"])


def test_who_calls_is_expected_and_gets_what_is_kept_for_callers(parts, clinic, clerk, program):
    with parts.doors.transaction() as db:
        db.execute(update(Slot).values(kept_phone=Slot.capacity))
    near = {"latitude": 33.9, "longitude": 35.5}
    assert program().post("/slots/search", sought(clinic, **near)).json["items"] == []
    [first, *_] = clerk.post("/clinic/slots/search", sought(clinic, source="phone")).json["items"]
    assert first["site"]["id"] == str(clinic.site_id)
    party = hold(clerk, wish(clinic))
    clerk.post(f"{WHERE}/{party['id']}/confirm")
    assert [(one.state, one.source, one.pool) for one in made(parts)] == [
        ("booked", "phone", "phone")
    ]


def _beside(db, clinic, **when):
    """Make a slot of the same product: at another site, or on another day here."""
    of = {"programme": db.get_one(Programme, clinic.programme_id)}
    of |= {"product": db.get_one(Product, clinic.product_id)}
    if not when:
        site = factories.make_site(db, latitude=33.9, longitude=35.5)
    else:
        site = db.get_one(Site, clinic.site_id)
    at = NOW + timedelta(hours=1, **when)
    session = factories.make_session(db, site=site, day=at.date(), **of)
    return str(factories.make_slot(db, session=session, starts_at=at).id)


@pytest.mark.parametrize("source", ["phone", "walk_in"])
def test_a_desk_that_comes_too_late_is_offered_what_it_can_book(parts, clinic, clerk, source):
    with parts.doors.transaction() as db:
        elsewhere, tomorrow = _beside(db, clinic), _beside(db, clinic, days=1)
        db.execute(update(Slot).where(Slot.id == clinic.slots[0]).values(booked=Slot.capacity))
        db.execute(update(Slot).where(Slot.id == clinic.slots[1]).values(kept_phone=Slot.capacity))
    told = hold(clerk, wish(clinic), source=source, status=409)
    offered = {each["slot_ids"][0] for each in told["instead"]}
    assert str(clinic.slots[2]) in offered
    assert elsewhere not in offered
    assert (str(clinic.slots[1]) in offered, tomorrow in offered) == (source == "phone",) * 2


def test_eight_are_held_together_and_given_back(parts, clinic, clerk):
    with parts.doors.transaction() as db:
        db.execute(update(Slot).values(capacity=8))
    people = [
        wish(clinic, given=f"Kanari {turn}", identity={"kind": "none"}, phone=f"+9613123{turn:03}")
        for turn in range(8)
    ]
    party = hold(clerk, *people)
    assert len(party["appointments"]) == 8
    assert clerk.post(f"{WHERE}/{party['id']}/let-go").status_code == 204
    assert {one.state for one in made(parts)} == {"cancelled"}


def test_the_second_dose_is_looked_for_and_held_with_the_first(parts, clinic, clerk):
    with parts.doors.transaction() as db:
        session = factories.make_session(
            db, site=db.get_one(Site, clinic.site_id), day=factories.day(30),
            product=db.get_one(Product, clinic.product_id),
            programme=db.get_one(Programme, clinic.programme_id),
        )  # fmt: skip
        later = factories.make_slot(db, session=session, starts_at=NOW + timedelta(days=30)).id
    asked = {"slot_id": str(clinic.slots[0]), "dose_number": 1, "source": "phone"}
    [second] = clerk.post("/clinic/slots/second", asked).json["items"]
    assert second["slot_ids"] == [str(later)]
    both = [wish(clinic), wish(clinic) | {"slot_id": str(later), "dose_number": 2}]
    party = hold(clerk, *both, source="walk_in")
    clerk.post(f"{WHERE}/{party['id']}/confirm")
    assert sorted((one.dose_number, one.state) for one in made(parts)) == [
        (1, "arrived"), (2, "booked"),
    ]  # fmt: skip


def test_somebody_on_record_is_found_first_and_nobody_else_is_booked_for(clinic, citizen, clerk):
    known = citizen()
    known.post(f"/appointments/{known.appointment}/cancel", If_Match="*")
    wanted = {"slot_id": str(clinic.slots[1])}
    stranger = wanted | {"person_id": "01890000-0000-7000-8000-000000000000"}
    assert hold(clerk, stranger, status=404)["code"] == "not_found"
    assert hold(clerk, wanted, status=404)["code"] == "not_found"
    hold(clerk, wanted | {"person_id": str(known.person)})
    seen = known.get("/record/seen").json["items"]
    assert ("clerk", "registration") in {(each["role"], each["reason"]) for each in seen}


def test_a_desk_books_for_its_own_site_alone(parts, clinic, clerk, program):
    with parts.doors.transaction() as db:
        session = factories.make_session(
            db, product=db.get_one(Product, clinic.product_id),
            programme=db.get_one(Programme, clinic.programme_id),
        )  # fmt: skip
        slot = factories.make_slot(db, session=session, starts_at=NOW + timedelta(hours=2))
        other = wish(clinic) | {"slot_id": str(slot.id)}
    hold(clerk, other, status=404)
    party = program().post("/parties", {"wishes": [other]}).json
    assert clerk.post(f"{WHERE}/{party['id']}/confirm").status_code == 404
    assert clerk.post(f"{WHERE}/{party['id']}/let-go").status_code == 404


def test_a_clerk_takes_nobody_out_of_turn(clinic, clerk, program):
    assert hold(clerk, wish(clinic), status=400, exception_reason="x")["code"] == "bad_input"
    for role, status in (("admin", 403), (None, 401)):
        assert program(role).post(WHERE, {"wishes": [wish(clinic)]}).status_code == status
