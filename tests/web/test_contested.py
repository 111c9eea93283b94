"""The page of documents that two records claim: who sees what, and each step with its reason."""

from __future__ import annotations

import re

import pytest

from healthcert.models import Staff
from healthcert.services import enrolment, identities
from healthcert.services.people import IdentityDetails
from tests import factories as make
from tests.certificates import NOW
from tests.services.clinic import details
from tests.web.api.conftest import Program, token_of
from tests.web.api.test_clinic import ask
from tests.web.conftest import Browser, officers_of

ON = "sqlite"  # the services are tested on both engines

PAGE = "/requests"
PASSPORT = IdentityDetails("passport", "XX", "KANARI77234")


def claim(app, clinic):
    """Show somebody's passport for another to the clerk; return another clerk's identifier."""
    parts = app.extensions["healthcert"]
    with parts.doors.transaction() as db:
        for identity in (PASSPORT, IdentityDetails("none")):
            told = details(identity=identity)
            who = enrolment.enrol(db, vault=parts.vault, details=told, now=NOW)
        identities.add_document(
            db, vault=parts.vault, person_id=who.id, told=PASSPORT, country="XX", now=NOW,
            staff=db.get_one(Staff, clinic.staff["clerk"]),
        )  # fmt: skip
        return make.make_staff(db, role="clerk", site_id=clinic.site_id).id


@pytest.fixture
def people(app, clinic):
    """Return who decides, by name; a passport of one was shown for another."""
    one, two, stranger = officers_of(app, clinic)
    return {
        "asked": clinic.staff["clerk"], "clerk": claim(app, clinic), "one": one, "two": two,
        "stranger": stranger, "inspector": clinic.staff["inspector"],
    }  # fmt: skip


def test_a_document_moves_step_by_step_by_the_pages(app, people):
    who = {name: Browser(app).sign_in(each) for name, each in people.items()}
    path = re.search(rf"{PAGE}/[0-9a-f-]+", who["asked"].get(PAGE).text)[0]
    assert path not in who["stranger"].get(PAGE).text
    assert "Passport" in who["inspector"].get(PAGE).text, "which of the two people's documents"
    assert who["stranger"].get(path).status_code == 404
    for name in ("asked", "one", "inspector"):
        page = who[name].get(path).text
        assert "This step is not for you" in page
        assert "الكناري" not in page
    page = who["clerk"].get(path).text
    assert "الكناري" in page
    assert "KANARI77234" not in page
    assert '<bdi class="hc-number">234</bdi>' in page
    for act, name, asked in (
        ("verify", "ground", "How do you know"), ("reject", "stays", "Why does it stay"),
    ):  # fmt: skip
        wrong = who["clerk"].post(path, {"act": act, name: ""}, page=path)
        assert wrong.status_code == 400
        assert re.search(rf'<a href="#wrong-{name}">{asked}: fill this in', wrong.text)
        assert len(re.findall(rf'id="wrong-{name}"', wrong.text)) == 1
        assert wrong.text.count("fill this in") == 2, "in the summary and beside the question"
    for name, act, reason in (
        ("clerk", "verify", "document_seen"), ("one", "approve", "details_fit"),
        ("two", "carry_out", ""),
    ):  # fmt: skip
        assert who[name].post(path, {"act": act, "ground": reason}, page=path).status_code == 303
    assert "Nothing waits" in who["inspector"].get(PAGE).text
    assert who["inspector"].post(path, {"act": "reject"}, page=PAGE).status_code == 403


def test_a_step_needs_a_fresh_proof_and_late_ones_are_marked(app, people, clock):
    clerk = Browser(app).sign_in(people["clerk"])
    path = re.search(rf"{PAGE}/[0-9a-f-]+", clerk.get(PAGE).text)[0]
    assert "Overdue" not in clerk.get(PAGE).text
    clock.pass_by(minutes=6)
    answer = clerk.post(path, {"act": "verify", "ground": "document_seen"}, page=path)
    assert answer.location.startswith("/sign-in/again")
    clock.pass_by(hours=80)
    clerk = Browser(app).sign_in(people["clerk"])
    assert "Overdue" in clerk.get(PAGE).text
    assert PAGE in clerk.get("/clinic/").text


def test_programs_do_the_same(app, parts, people):
    who = {
        name: Program(app, token_of(parts, role, people[name]))
        for name, role in (("clerk", "clerk"), ("one", "admin"), ("asked", "clerk"))
    }
    [waits] = who["one"].get(PAGE).json["items"]
    assert waits["kind"] == "passport"
    assert (waits["next"], waits["role"], waits["mine"]) == ("verify", "clerk", False)
    path = f"{PAGE}/{waits['id']}"
    assert who["one"].get(path).json["holding"] is None
    assert who["clerk"].get(path).json["holding"]["documents"] == ["passport"]
    told = {"act": "verify", "reason": "document_seen"}
    assert ask(who["asked"], f"{path}/steps", told, 409)["code"] == "needs_another"
    assert ask(who["one"], f"{path}/steps", told, 409)["code"] == "wrong_state"
    ask(who["clerk"], f"{path}/steps", told | {"act": "reject"}, 422)
    ask(who["clerk"], f"{path}/steps", told, 204)
    ask(who["one"], f"{path}/steps", {"act": "reject", "reason": "one_person"}, 204)
    assert who["one"].get(PAGE).json["items"] == []
