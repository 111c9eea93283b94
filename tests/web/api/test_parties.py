"""Booking together through the interface: held, confirmed, let go, by whom it belongs to."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.data import limits
from healthcert.errors import BadInput
from healthcert.models import Appointment, Person, WaitEntry, new_id
from healthcert.services import people
from healthcert.services.api_answers import judged
from tests.certificates import NOW

DETAILS = {
    "family": "Kanaridge", "given": "Kanarina", "birth_date": "1962-02-03", "language": "en",
    "identity": {"kind": "passport", "country": "XX", "value": "KANARI 77"},
    "mail": "kanari3@example.org",
}  # fmt: skip


def wish(clinic, slot=0, **changes):
    return {"slot_id": str(clinic.slots[slot]), "details": DETAILS | changes}


def states(parts):
    with parts.doors.reading() as db:
        return sorted(db.scalars(select(Appointment.state)))


@pytest.fixture
def stranger(program):
    return program()


def test_a_stranger_holds_for_two_and_confirms(parts, clinic, stranger):
    other = {"family": "Kanari", "identity": {"kind": "passport", "value": "KANARI 78"}}
    asked = {"wishes": [wish(clinic), wish(clinic, 1, **other)]}
    held = stranger.post("/parties", asked)
    assert (held.status_code, states(parts)) == (201, ["held", "held"])
    path = f"/parties/{held.json['id']}"
    assert stranger.post(f"{path}/confirm", {"key": "x"}).status_code == 404
    booked = stranger.post(f"{path}/confirm", {"key": held.json["key"]})
    assert booked.status_code == 200
    assert states(parts) == ["booked", "booked"]
    references = [each["reference"] for each in booked.json["appointments"]]
    file = stranger.post(f"{path}/calendar", {"key": held.json["key"]})
    assert (file.mimetype, file.text.count("BEGIN:VEVENT")) == ("text/calendar", 2)
    assert all(f"UID:{each}@" in file.text for each in references)
    assert stranger.post(f"{path}/calendar", {"key": "x"}).status_code == 404


def test_a_stranger_learns_nothing_of_the_dose_on_record(clinic, program, stranger):
    held = stranger.post("/parties", {"wishes": [wish(clinic)]}).json
    booked = stranger.post(f"/parties/{held['id']}/confirm", {"key": held["key"]}).json
    told = {"lot": clinic.lot, "body_site": "LA", "given_at": NOW.isoformat()}
    path = f"/clinic/appointments/{booked['appointments'][0]['id']}/dose"
    dose = program("nurse").post(path, {"product_id": str(clinic.product_id), "told": told})
    assert dose.status_code == 201
    answer = stranger.post("/parties", {"wishes": [wish(clinic, 1)]})
    assert (answer.status_code, answer.json["code"]) == (409, "already_booked")


def test_what_is_let_go_is_free_again(parts, clinic, stranger):
    held = stranger.post("/parties", {"wishes": [wish(clinic)]}).json
    answer = stranger.post(f"/parties/{held['id']}/let-go", {"key": held["key"]})
    assert (answer.status_code, states(parts)) == (204, ["cancelled"])
    again = stranger.post(f"/parties/{held['id']}/confirm", {"key": held["key"]})
    assert (again.status_code, again.json["code"]) == (409, "wrong_state")


def test_a_citizen_books_for_themselves_and_nobody_they_may_not(clinic, citizen):
    who, other = citizen(), citizen(slot=1)
    asked = {"wishes": [{"slot_id": str(clinic.slots[2]), "person_id": str(other.person)}]}
    assert who.post("/parties", asked).status_code == 404
    asked = {"wishes": [{"slot_id": str(clinic.slots[2]), "dose_number": 2}]}
    assert who.post("/parties", asked).status_code in {201, 409}


def test_the_place_that_is_refused_is_named_by_its_number(parts, clinic, stranger):
    wrong = wish(clinic, 0, birth_date="2026-01-01", identity={"kind": "none"})
    answer = stranger.post("/parties", {"wishes": [wish(clinic), wrong]})
    assert (answer.status_code, answer.json["which"]) == (409, 1)
    assert states(parts) == []


@pytest.mark.parametrize(
    ("changes", "path", "wrong"),
    [
        ({"phone": "12"}, "phone", "not_a_phone_number"),
        ({"identity": {"kind": "passport", "value": ""}}, "identity.value", "missing"),
    ],
)
def test_what_is_wrong_about_one_of_several_is_said_where_it_stands(
    clinic, stranger, changes, path, wrong
):
    asked = {"wishes": [wish(clinic), wish(clinic, 1, **changes)]}
    told = stranger.post("/parties", asked).json
    assert (told["which"], told["fields"]) == (1, {f"wishes.1.details.{path}": wrong})


def test_who_contradicts_the_record_is_named_by_their_number(clinic, stranger):
    party = stranger.post("/parties", {"wishes": [wish(clinic)]}).json
    stranger.post(f"/parties/{party['id']}/confirm", {"key": party["key"]})
    other = {"family": "Kanari", "identity": {"kind": "passport", "value": "KANARI 78"}}
    asked = [wish(clinic, 1, **other), wish(clinic, 1, birth_date="1999-01-01")]
    told = stranger.post("/parties", {"wishes": asked}).json
    assert (told["code"], told.get("which")) == ("already_booked", 1)


def test_a_citizen_who_tells_of_another_learns_nothing_of_their_record(clinic, citizen, stranger):
    told = wish(clinic, 0, birth_date="1985-03-27") | {"dose_number": 1}
    held = stranger.post("/parties", {"wishes": [told]}).json
    stranger.post(f"/parties/{held['id']}/confirm", {"key": held["key"]})
    own = {"slot_id": str(clinic.slots[2])}
    who = citizen()
    who.post(f"/appointments/{who.appointment}/cancel", If_Match="*")
    later = told | {"slot_id": str(clinic.slots[1]), "dose_number": 2}
    answer = who.post("/parties", {"wishes": [own, later]})
    assert (answer.status_code, answer.json["code"]) == (409, "already_booked")
    assert answer.json["which"] == 1


def test_a_stranger_who_tells_nobody_is_told_to_sign_in(clinic, stranger):
    answer = stranger.post("/parties", {"wishes": [{"slot_id": str(clinic.slots[0])}]})
    assert answer.status_code == 401


@pytest.mark.parametrize("text", ["\x00", "a\x1fb"])
def test_a_character_that_nobody_sees_is_refused(clinic, stranger, text):
    answer = stranger.post("/parties", {"wishes": [wish(clinic, given=text)]})
    assert (answer.status_code, answer.json["code"]) == (422, "unusable")


def test_what_turns_a_name_round_unseen_is_not_kept(parts, clinic, program):
    wished = wish(clinic, given="\u202eanir\u202caK\u2066", family="\u200fبدر")
    assert program("nurse").post("/clinic/parties", {"wishes": [wished], "source": "phone"})
    with parts.doors.reading() as db:
        known = people.details_of(parts.vault, db.scalars(select(Person)).one())
    assert (known.given, known.family) == ("aniraK", "\u200fبدر")


def test_a_citizen_waits_sees_it_and_leaves(clinic, citizen):
    who = citizen()
    tag = who.get(f"/appointments/{who.appointment}").headers["ETag"]
    who.post(f"/appointments/{who.appointment}/cancel", If_Match=tag)
    asked = {"programme_id": str(clinic.programme_id), "site_id": None, "standby": True}
    made = who.post("/waiting", asked)
    assert made.status_code == 201, made.text
    [wait] = who.get("/waiting").json["items"]
    assert (wait["entry"]["id"], wait["before"], wait["offer"]) == (made.json["id"], 0, None)
    again = who.post("/waiting", asked)
    assert (again.status_code, again.json["code"]) == (409, "cannot_wait")
    assert who.post(f"/waiting/{made.json['id']}/leave").status_code == 204
    assert who.get("/waiting").json["items"] == []


def test_what_is_not_there_is_not_waited_for(citizen):
    who = citizen()
    asked = {"programme_id": str(new_id()), "site_id": None, "standby": False}
    assert who.post("/waiting", asked).status_code in {404, 409}


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ({"site_id": new_id()}, "not_known"),
        ({"state": "lost"}, "ck_wait_entry_state"),
    ],
)
def test_what_the_database_refuses_of_what_was_sent_is_an_answer(
    parts, clinic, citizen, statement, rule
):
    row = {"person_id": citizen().person, "programme_id": clinic.programme_id, "state": "waiting"}
    entry = WaitEntry(recorded_at=NOW, standby=False, turn_on=NOW.date(), **row | statement)
    with pytest.raises(BadInput) as told, judged(), parts.doors.transaction() as db:
        db.add(entry)
    assert told.value.fields == {"body": rule}


def test_nobody_uses_up_what_another_may_book(clinic, citizen, program, monkeypatch):
    whose = [citizen(slot=0), citizen(slot=1)]
    for who in whose:
        assert who.post(f"/appointments/{who.appointment}/cancel", If_Match="*").status_code == 204
    monkeypatch.setitem(limits.limits()["book"], "identity", limits.Limit(1, 60, "for a test"))
    for who in whose:
        own = {"slot_id": str(clinic.slots[0])}
        assert [who.post("/parties", {"wishes": [own]}).status_code for _ in range(2)] == [201, 429]
    for given in ("Kanaro", "Kanari"):
        without = wish(clinic, 2, given=given, identity={"kind": "none"}, mail="")
        assert program().post("/parties", {"wishes": [without]}).status_code == 201
