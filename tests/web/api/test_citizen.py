"""What a citizen's program reads and does beside appointments: family, doses, looks, erasure."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from healthcert.models import Person
from tests.certificates import NOW
from tests.web.api.test_clinic import ask

ON = "sqlite"  # the services are tested on both engines


@pytest.fixture
def seen(clinic, citizen, program):
    """Somebody who was given a dose at the clinic, their nurse, and what the nurse was shown."""
    who, nurse = citizen(), program("nurse")
    path = f"/clinic/appointments/{who.appointment}"
    ask(nurse, f"{path}/arrived", status=204)
    told = {"lot": clinic.lot, "body_site": "LA", "given_at": NOW.isoformat()}
    ask(nurse, f"{path}/dose", {"product_id": str(clinic.product_id), "told": told}, 201)
    return who, nurse, path


def test_one_reads_ones_doses_and_who_looked_and_may_be_erased(seen):
    who, nurse, path = seen
    [dose] = who.get("/doses").json["items"]
    assert (dose["number"], dose["counts"]) == (1, "valid")
    assert nurse.get(f"{path}/questions").json["items"][0]["ask"]["en"]
    found = nurse.get(f"/clinic/people/{who.person}").json
    assert (found["person_id"], len(found["doses"])) == (str(who.person), 1)
    looks = who.get("/record/seen").json["items"]
    assert {each["role"] for each in looks} == {"nurse"}
    assert all("who" not in each for each in looks)
    foreseen = who.get("/record/erase").json
    assert ask(who, "/record/erase") == foreseen
    assert "appointments" in foreseen["gone"]
    assert who.get("/doses").status_code in {401, 404}


FILES = {
    "code.svg": ("image/svg+xml", b"<svg "),
    "code.png": ("image/png", b"\x89PNG\r\n"),
    "certificate.pdf": ("application/pdf", b"%PDF-"),
}


def test_a_certificate_comes_on_paper_and_as_a_picture_to_its_holder_alone(seen, citizen):
    who, _nurse, _path = seen
    [held] = who.get("/certificates").json["items"]
    of, other = f"/certificates/{held['certificate_id']}", citizen(slot=1)
    told = other.client.get("/api/openapi.json").json["paths"]
    for name, (media, begins) in FILES.items():
        answer = who.get(f"{of}/{name}")
        assert (answer.status_code, answer.mimetype) == (200, media)
        assert answer.data.startswith(begins)
        content = told[f"/api/v1/certificates/{{certificate_id}}/{name}"]["get"]["responses"]["200"]
        assert [*content["content"]] == [media]
        assert other.get(f"{of}/{name}").status_code == 404
        assert who.get(f"{of}/{name}", Accept="text/html").status_code == 406


def test_the_record_and_an_appointment_come_as_files(seen):
    who, _nurse, _path = seen
    paper = who.get("/record.pdf", Accept_Language="ar")
    assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")
    calendar = who.get(f"/appointments/{who.appointment}/calendar.ics")
    assert calendar.mimetype == "text/calendar"
    assert who.reference in calendar.text


def test_erasure_asks_for_a_token_that_was_just_made(citizen, clock):
    who = citizen()
    clock.pass_by(minutes=6)
    assert ask(who, "/record/erase", status=403)["code"] == "prove_again"
    assert who.get("/record").status_code == 200


def test_a_document_and_a_card_are_added_to_whom_one_sees(seen):
    who, nurse, _path = seen
    told = {"kind": "passport", "country": "XX", "value": "KANARI 900"}
    documents = f"/clinic/people/{who.person}/documents"
    assert ask(nurse, documents, {"told": told}) == {"alone": True}
    card = ask(nurse, f"/clinic/people/{who.person}/cards")["reference"]
    assert re.fullmatch(r"HC-[\w-]+", card)


def test_a_child_is_written_down_and_acted_for_until_one_ends_it(parts, citizen):
    who = citizen()
    details = {
        "family": "Kanaridge", "given": "Kind", "birth_date": "2020-01-02", "language": "en",
        "identity": {"kind": "none"},
    }  # fmt: skip
    ask(who, "/people/children", {"details": details}, 204)
    [child] = who.get("/people").json["items"]
    assert child["mine"]
    assert who.get("/appointments", Acting_For=child["person_id"]).json["items"] == []
    of_age = ask(who, "/people/children", {"details": details | {"birth_date": "1980"}}, 422)
    assert of_age["fields"] == {"details.birth_date": "of_age"}
    ask(who, f"/people/{child['proxy_id']}/end", status=204)
    assert who.get("/appointments", Acting_For=child["person_id"]).status_code == 404
    with parts.doors.reading() as db:
        assert len(db.scalars(select(Person)).all()) == 2


def test_whom_one_gives_ones_code_may_act_for_one(citizen, newest_message):
    one, other = citizen(slot=0), citizen(slot=1)
    ask(one, "/people/invitations", {"scopes": ["view"]}, 204)
    code = re.search(r"\b\d{6}\b", newest_message("carer_code"))[0]
    claim = {"reference": one.reference, "birth_date": "1985-03-27"}
    wrong = ask(other, "/people/join", {"claim": claim, "code": "000000"}, 403)
    assert wrong["code"] == "bad_code"
    ask(other, "/people/join", {"claim": claim, "code": code}, 204)
    found = other.get("/appointments", Acting_For=str(one.person)).json["items"]
    assert [each["reference"] for each in found] == [one.reference]
