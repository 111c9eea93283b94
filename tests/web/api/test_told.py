"""What a program is told that a programme asks, and what it tells of those it books for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.data import knowledge as files
from healthcert.models import EligibilityDecision, Person
from healthcert.services import eligibility, knowledge
from healthcert.web.api.document import document
from tests.certificates import NOW
from tests.web.api.test_clinic import ask
from tests.web.api.test_for_them import WAIT
from tests.web.api.test_parties import DETAILS, wish

TODAY = NOW.date()
ANSWERS = {"occupation": {"nurse": {"en": "I am a nurse", "fr": "Je soigne", "ar": "ممرضة"}}}
NURSE = {"occupation": ["nurse"]}
OTHER = DETAILS | {"identity": {"kind": "passport", "country": "XX", "value": "KANARI 79"}}


@pytest.fixture
def nurses(parts, clinic):  # noqa: ARG001 - whose programme it is
    """Let nobody be vaccinated but nurses, and those of the coast from next month on."""
    source = files.sources("programme")[0]
    phases = [
        {"code": code, "names": {"en": code}, "opens_on": str(TODAY + timedelta(days)),
         "admits": admits}
        for code, days, admits in (
            ("nurses", 0, NURSE),
            ("coast", 30, {"region": ["coast"], "pregnant": True}),
        )
    ]  # fmt: skip
    content = source.content | {"phases": phases, "answers": ANSWERS}
    with parts.doors.transaction() as db:
        knowledge.load(db, now=NOW, more=[replace(source, content=content, sha256="nurses")])


@pytest.fixture
def told(parts, clinic):
    """Return what was told last of the one person on record."""

    def of():
        with parts.doors.reading() as db:
            person = db.scalars(select(Person)).one()
            return eligibility.told_of(db, parts.vault, person, clinic.programme_id)

    return of


def of_nurse(clinic, slot=0, **more):
    return wish(clinic, slot) | {"told": NURSE} | more


@pytest.mark.usefixtures("nurses")
def test_a_programme_shows_what_it_asks_in_words(parts, program):
    [one] = program().get("/programmes").json["items"]
    assert one["asks"] == {
        "region": {"coast": parts.country.regions["coast"]}, **ANSWERS, "pregnant": {"yes": {}},
    }  # fmt: skip


@pytest.mark.usefixtures("clinic")
def test_a_programme_for_everybody_asks_nothing(program):
    [one] = program().get("/programmes").json["items"]
    assert (one["code"], one["asks"]) == ("covid19", {})


@pytest.mark.usefixtures("nurses")
def test_a_program_books_for_a_nurse_who_is_called_first(clinic, program, told):
    who = program()
    refused = ask(who, "/parties", {"wishes": [wish(clinic)]}, 409)
    assert refused["code"] == "not_eligible"
    held = ask(who, "/parties", {"wishes": [of_nurse(clinic)]}, 201)
    ask(who, f"/parties/{held['id']}/confirm", {"key": held["key"]})
    assert told() == NURSE


@pytest.mark.usefixtures("nurses", "later")
def test_two_doses_of_a_new_person_go_by_what_is_told_with_the_first(clinic, program, told):
    [then, *_] = ask(program(), "/slots/second", {
        "slot_id": str(clinic.slots[0]), "dose_number": 1,
    })["items"]  # fmt: skip
    second = wish(clinic) | {"slot_id": then["slot_ids"][0], "dose_number": 2}
    held = ask(program(), "/parties", {"wishes": [of_nurse(clinic), second]}, 201)
    assert [one["state"] for one in held["appointments"]] == ["held", "held"]
    assert told() == NURSE


@pytest.mark.parametrize(
    ("wrong", "field"), [({"occupation": ["baker"]}, "occupation"), ({"hair": ["red"]}, "hair")]
)
@pytest.mark.usefixtures("nurses")
def test_what_is_not_asked_is_said_field_by_field(clinic, program, wrong, field):
    body = {"wishes": [of_nurse(clinic), wish(clinic, 1, **OTHER) | {"told": wrong}]}
    answer = ask(program(), "/parties", body, 422)
    assert (answer["code"], answer["which"]) == ("unusable", 1)
    assert [*answer["fields"]] == [f"wishes.1.told.{field}"]
    for form in ("nurse", ["nurse"], {"occupation": "nurse"}, {"occupation": [1]}):
        malformed = {"wishes": [of_nurse(clinic, told=form)]}
        assert ask(program(), "/parties", malformed, 400)["code"] == "bad_input"


@pytest.mark.usefixtures("nurses")
def test_who_tells_of_somebody_is_not_told_what_those_told(parts, clinic, program, told):
    who = program()
    held = ask(who, "/parties", {"wishes": [of_nurse(clinic)]}, 201)
    ask(who, f"/parties/{held['id']}/let-go", {"key": held["key"]}, 204)
    with parts.doors.reading() as db:
        mine = db.scalars(select(Person.id)).one()
    for asker in (program(), program("nurse")):
        path, more = ("/clinic/parties", {"source": "phone"}) if asker.token else ("/parties", {})
        body = {"wishes": [wish(clinic, 1)], **more}
        assert ask(asker, path, body, 409)["code"] == "not_eligible"
    body = {"programme_id": str(clinic.programme_id), "site_id": None, "standby": False}
    newcomer = ask(program(), WAIT, body | {"details": DETAILS}, 409)
    assert newcomer["code"] == "not_eligible"
    assert told() == NURSE
    oneself = program(person=mine)
    assert ask(oneself, "/parties", {"wishes": [{"slot_id": str(clinic.slots[1])}]}, 201)


@pytest.mark.usefixtures("nurses")
def test_the_desk_tells_for_who_stands_there(clinic, program, told):
    body = {"wishes": [of_nurse(clinic)], "source": "walk_in"}
    assert ask(program("clerk"), "/clinic/parties", body, 201)["appointments"]
    assert told() == NURSE


@pytest.mark.usefixtures("nurses")
def test_one_waits_by_what_one_tells(parts, clinic, program):
    body = {"programme_id": str(clinic.programme_id), "site_id": None, "standby": False}
    new = {"details": OTHER, "told": {"region": ["coast"], "pregnant": ["yes"]}}
    ask(program(), WAIT, body | new, 201)
    with parts.doors.reading() as db:
        decision = db.scalars(select(EligibilityDecision)).one()
        assert decision.reasons[-1]["about"]["phase"] == "coast"
        person = db.get_one(Person, decision.person_id)
        told = eligibility.told_of(db, parts.vault, person, clinic.programme_id)
    assert told == new["told"]


def test_a_citizen_tells_when_they_join_the_line(clinic, citizen, request):
    who = citizen()
    ask(who, f"/appointments/{who.appointment}/cancel", status=204, If_Match="*")
    request.getfixturevalue("nurses")
    body = {"programme_id": str(clinic.programme_id), "site_id": None, "standby": False}
    assert ask(who, "/waiting", body, 409)["code"] == "not_eligible"
    assert ask(who, "/waiting", body | {"told": {"occupation": ["x"]}}, 422)["fields"]
    ask(who, "/waiting", body | {"told": NURSE}, 201)
    [wait] = who.get("/waiting").json["items"]
    assert wait["entry"]["turn_on"] == str(TODAY)
    whole = who.get("/record").json["held"]["eligibility_decision"]
    assert whole[-1]["told"] == NURSE


@pytest.mark.parametrize("language", ["zz", "english"])
def test_a_language_that_the_service_does_not_speak_is_refused_where_it_stands(
    clinic, program, citizen, language
):
    details = DETAILS | {"language": language}
    near = {"latitude": 33.5, "longitude": 35.5, "needs": {"language": language}}
    around = {"programme_id": str(clinic.programme_id), "site_id": None}
    for who, path, body, where in (
        (program(), "/parties", {"wishes": [wish(clinic) | {"details": details}]}, "wishes.0."),
        (program(), WAIT, around | {"details": details}, ""),
        (citizen(), "/people/children", {"details": details}, ""),
        (program("clerk"), "/clinic/slots/search", around | near, ""),
        (program(), "/slots/search", around | near, ""),
    ):
        fields = ask(who, path, body, 400)["fields"]
        inside = "needs" if "needs" in body else "details"
        assert fields[f"{where}{inside}.language"] == "not_a_choice", path


def test_every_language_that_is_sent_is_one_of_the_service():
    shapes = document()["components"]["schemas"]
    asked = {name: shape["properties"]["language"] for name, shape in shapes.items()
             if "language" in shape.get("properties", {})}  # fmt: skip
    assert asked.pop("Call"), "which is answered: of the words to be read out"
    assert asked.keys() == {"DetailsSent", "Needs"}
    assert all("'enum': ['en', 'ar', 'fr']" in str(each) for each in asked.values())
    names = shapes["HolidaySent"]["properties"]["names"]
    assert names["propertyNames"]["enum"] == ["en", "ar", "fr"]
