"""While an opening is on, nobody moves into the scarce places but in their turn."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from sqlalchemy import select

from healthcert.models import Appointment, Person, Programme, Slot
from tests.factories import make_appointment
from tests.web.test_appointments import CHILD
from tests.web.test_room import ticket_of


@pytest.fixture
def moved(clinic):
    """Return how somebody's browser asks for another time of an appointment."""

    def asked(browser):
        page = browser.get("/my/").text
        address = re.search(r"/my/appointments/[0-9a-f-]{36}", page)[0]
        return f"{address}/move?slot={clinic.slots[2].hex}"

    return asked


def test_who_moves_an_appointment_waits_for_their_turn_too(
    app, holder, request, steps, moved, clinic, parts
):
    citizen = holder()
    path = moved(citizen)
    request.getfixturevalue("opening")
    steps(5)
    for answer in (citizen.get(path), citizen.post(path, page="/my/")):
        assert (answer.status_code, answer.location) == (303, "/room")
    steps(620)
    for identity, status in (("SOMEBODY ELSE 1", 403), ("KANARI 123456", 303)):
        _browser, address = ticket_of(app, identity)
        steps(30)
        assert "/my/" in citizen.get(address).text
        answer = citizen.post(path, page=f"{path}&go=1")
        assert answer.status_code == status
        if status == 403:
            assert "This ticket is for somebody else" in answer.text
            assert "Get a ticket in the waiting room" in answer.text
    assert "done=moved" in answer.location
    with parts.doors.reading() as db:
        assert db.get_one(Slot, clinic.slots[2]).booked == 1


def test_who_looks_after_a_child_moves_its_appointment_in_their_own_turn(
    app, holder, request, steps, clinic, parts
):
    guardian = holder()
    guardian.post("/my/family/child", CHILD)
    page = guardian.get("/my/family/").text
    whom = re.search(r"/my/family/look-after/[0-9a-f-]{36}", page)[0]
    with parts.doors.transaction() as db:
        mine, child = db.scalars(select(Appointment)).one(), UUID(whom[-36:])
        slot, programme = (db.get_one(*each) for each in (
            (Slot, mine.slot_id), (Programme, mine.programme_id)))  # fmt: skip
        slot.booked += 1
        make_appointment(db, slot=slot, person=db.get_one(Person, child), programme=programme)
    request.getfixturevalue("opening")
    guardian.post(whom, page="/my/family/")
    path = re.search(r"/my/appointments/[0-9a-f-]{36}", guardian.get("/my/").text)[0]
    path += f"/move?slot={clinic.slots[2].hex}"
    _browser, address = ticket_of(app)
    steps(660)
    guardian.get(address)
    answer = guardian.post(path, page=f"{path}&go=1")
    assert "done=moved" in (answer.location or ""), answer.text


def test_a_program_moves_with_its_ticket_and_a_desks_without(
    app, citizen, program, request, steps, clinic
):
    mine, clerk = citizen(), program("clerk")
    path = f"/appointments/{mine.appointment}"
    helped = clerk.post(f"/clinic{path}/help")
    assert helped.status_code == 204
    request.getfixturevalue("opening")
    steps(5)

    def move(who, slot, **more):
        tag = who.get(path, **{k: v for k, v in more.items() if k == "Acting_For"}).headers["ETag"]
        return who.post(f"{path}/move", {"slot_id": str(clinic.slots[slot])}, If_Match=tag, **more)

    assert move(mine, 1).json["code"] == "must_wait"
    told = app.test_client().get("/api/openapi.json").json["paths"]
    told = told["/api/v1/appointments/{appointment_id}/move"]["post"]
    assert "Ticket" in {each["name"] for each in told["parameters"]}
    said = "".join(each["description"] for each in told["responses"].values())
    assert "`must_wait`" in said
    assert "`anothers_ticket`" in said
    tickets = [
        app.test_client().post("/room", data={"identity": each}).location.split("=")[1]
        for each in ("SOMEBODY ELSE 1", "KANARI 000000")
    ]
    steps(660)
    assert move(mine, 1, Ticket=tickets[0]).json["code"] == "anothers_ticket"
    answer = move(mine, 1, Ticket=tickets[1])
    assert answer.status_code == 200, answer.text
    path = f"/appointments/{answer.json['id']}"
    assert move(mine, 2).json["code"] == "must_wait"
    answer = move(clerk, 2, Acting_For=str(mine.person))
    assert answer.status_code == 200, answer.text
