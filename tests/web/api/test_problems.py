"""What a program is told that is refused: a problem document, and the next best offer in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from healthcert import errors
from healthcert.data import knowledge as files
from healthcert.models import Slot
from healthcert.services import knowledge
from healthcert.web.errors import refused
from tests.certificates import NOW
from tests.web.api.test_parties import wish

ON = "sqlite"  # what is told of a refusal is the same on both engines; that it comes, services test

OPENS = NOW.date() + timedelta(days=40)
MADE = {
    errors.BadInput: ({"x": "missing"},),
    errors.BadRows: ([],),
    errors.TooMany: (datetime(2030, 1, 1, tzinfo=UTC),),
    errors.TooManyLooks: (datetime(2030, 1, 1, tzinfo=UTC),),
}


def every(kind):
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from every(below)


def test_every_refusal_is_a_problem_document_in_the_asked_language(app):
    for kind in every(errors.Refusal):
        told = {}
        for lang in ("en", "ar"):
            with app.test_request_context("/api/v1/x", headers={"Accept-Language": lang}):
                app.preprocess_request()
                answer = refused(kind(*MADE.get(kind, ())))
            problem = told[lang] = answer.json
            assert answer.mimetype == "application/problem+json"
            assert problem["status"] == answer.status_code >= 400
            assert problem["type"] == f"/api/#{kind.code}"
            assert problem["code"] == kind.code
            assert {"title", "detail", "instance"} <= problem.keys()
        assert told["en"]["title"] != told["ar"]["title"]
        assert told["en"]["detail"] != told["ar"]["detail"]


def test_a_table_that_cannot_be_used_is_answered_with_its_first_hundred_faults(app):
    faults = [errors.Fault(line, "lot", "missing") for line in range(2, 300)]
    with app.test_request_context("/api/v1/x"):
        rows = refused(errors.BadRows(faults)).json["rows"]
    assert rows[0] == {"line": 2, "field": "lot", "code": "missing"}
    assert len(rows) == 100


def test_the_page_about_the_interface_explains_every_code(browser):
    page = browser.get("/api/").text
    assert {kind.code for kind in every(errors.Refusal)} <= set(re.findall(r'id="(\w+)"', page))


@pytest.fixture
def full(parts, clinic):
    """The first slot with nothing left."""
    with parts.doors.transaction() as db:
        db.execute(update(Slot).where(Slot.id == clinic.slots[0]).values(booked=Slot.capacity))
    return clinic


def offered(answer):
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json"), answer.text
    return [UUID(each["slot_ids"][0]) for each in answer.json["instead"]]


def test_who_comes_too_late_is_offered_the_nearest_other_times(full, program):
    answer = program().post("/parties", {"wishes": [wish(full)]})
    assert answer.json["code"] == "slot_full"
    assert offered(answer) == full.slots[1:]
    first = answer.json["instead"][0]
    held = program().post("/parties", {"wishes": [wish(full) | {"slot_id": first["slot_ids"][0]}]})
    assert held.status_code == 201


def test_of_several_it_is_said_which_and_what_else_there_is_for_that_one(full, program):
    identity = {"kind": "passport", "value": "KANARI 78"}
    asked = [wish(full, 1), wish(full, 0, family="Kanari", identity=identity)]
    answer = program().post("/parties", {"wishes": asked})
    assert answer.json["which"] == 1
    assert offered(answer)[0] in full.slots[1:]


def test_a_move_to_what_is_taken_keeps_the_place_and_offers_others(parts, clinic, citizen):
    who = citizen(slot=1)
    with parts.doors.transaction() as db:
        db.execute(update(Slot).where(Slot.id == clinic.slots[0]).values(booked=Slot.capacity))
    path, body = f"/appointments/{who.appointment}", {"slot_id": str(clinic.slots[0])}
    answer = who.post(f"{path}/move", body, If_Match="*")
    assert clinic.slots[2] in offered(answer)
    assert who.get(path).json["state"] == "booked"


def test_a_time_that_has_begun_is_answered_with_those_to_come(clinic, program, clock):
    clock.pass_by(hours=24)
    answer = program().post("/parties", {"wishes": [wish(clinic)]})
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")
    assert answer.json.get("instead", []) == []  # all of that day have begun


def test_a_held_place_that_went_to_others_is_answered_with_the_next(parts, clinic, program, clock):
    who = program()
    held = who.post("/parties", {"wishes": [wish(clinic)]}).json
    clock.pass_by(minutes=11)
    others = {"family": "Kanari", "identity": {"kind": "passport", "value": "KANARI 78"}}
    with parts.doors.transaction() as db:
        left = db.get_one(Slot, clinic.slots[0])
        db.execute(update(Slot).where(Slot.id == left.id).values(capacity=1))
    assert program().post("/parties", {"wishes": [wish(clinic, **others)]}).status_code == 201
    answer = who.post(f"/parties/{held['id']}/confirm", {"key": held["key"]})
    assert answer.json["code"] == "hold_expired"
    assert clinic.slots[1] in offered(answer)


def test_a_held_place_whose_time_has_begun_is_answered_with_those_to_come(clinic, program, clock):
    who = program()
    held = who.post("/parties", {"wishes": [wish(clinic)]}).json
    clock.pass_by(minutes=31)
    answer = who.post(f"/parties/{held['id']}/confirm", {"key": held["key"]})
    assert answer.json["code"] == "hold_expired"
    assert clinic.slots[2] in offered(answer)


def test_whose_turn_is_later_is_told_from_when_and_as_whom(parts, clinic, program):
    source = files.sources("programme")[0]
    phase = source.content["phases"][0] | {"opens_on": str(OPENS)}
    changed = replace(source, content=source.content | {"phases": [phase]}, sha256="later")
    with parts.doors.transaction() as db:
        knowledge.load(db, now=NOW, more=[changed])
    answer = program().post("/parties", {"wishes": [wish(clinic)]})
    assert (answer.status_code, answer.json["code"]) == (409, "not_eligible")
    assert answer.json["opens_on"] == OPENS.isoformat()
    assert answer.json["group"]["en"]


def test_what_was_asked_too_often_says_when_it_may_be_asked_again(app):
    until = datetime(2030, 1, 1, tzinfo=UTC)
    with app.test_request_context("/api/v1/x"):
        answer = refused(errors.TooMany(until))
    assert datetime.fromisoformat(answer.json["until"]) == until
    assert int(answer.headers["Retry-After"]) > 0
