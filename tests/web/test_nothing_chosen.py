"""A list of staff whose answer has consequences stands on none before somebody chooses."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.data import knowledge as files
from healthcert.models import AdverseEvent, Delegation, Fridge, Identity, Organisation, Staff
from healthcert.services import knowledge
from tests import factories
from tests.certificates import NOW
from tests.web.conftest import two_levels
from tests.web.test_clinic_hour import TOLD
from tests.web.test_desk import DOOR, newcomer
from tests.web.test_opening import TOLD as OPENING
from tests.web.test_opening import shown
from tests.web.test_sites import TOLD as SITE

ON = "sqlite"  # pages are drawn the same on each engine

_SELECT = re.compile(r'<select[^>]* name="([^"]+)".*?</select>', re.DOTALL)
_OPTION = re.compile(r'<option value="([^"]*)"([^>]*)>')


def standing(page):
    """Return the lists of a page that stand on the first of several answers, chosen by nobody."""
    for each in _SELECT.finditer(page):
        answers = _OPTION.findall(each[0])
        if (
            len(answers) > 1
            and answers[0][0]
            and not any("selected" in more for _, more in answers)
        ):
            yield each[1]


@pytest.fixture
def seen(app, clinic, fever, parts, vaccinated):  # noqa: ARG001 - a second programme
    """Return pages by role, where each list has several answers."""
    two_levels(app, clinic)
    with parts.doors.transaction() as db:
        top = db.get_one(Organisation, db.get_one(Staff, clinic.staff["admin"]).organisation_id)
        factories.make_organisation(db, top, names={"en": "Hills agency"})
    _citizen, nurse, dose = vaccinated()
    visit = re.search(r"/clinic/appointments/[0-9a-f-]+", nurse.get("/clinic/").text)[0]
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(visit).text)[0]
    case = nurse.post(f"{person}/reaction", TOLD).location
    return {
        "admin": [
            "/admin/organisations", "/admin/draws", "/admin/staff", "/admin/opening/change",
            "/admin/sites/new", "/admin/holidays", "/admin/sessions", "/admin/lots",
        ],
        "lead": ["/clinic/stock", "/admin/sessions", "/clinic/standby"],
        "nurse": [visit, f"{person}/reaction", f"{person}/test", f"{person}/recovery",
                  f"{dose}/correct", f"{dose}/error"],
        "inspector": [case],
    }  # fmt: skip


def test_no_list_stands_on_an_answer_that_nobody_chose(seen, staff):
    for role, pages in seen.items():
        visitor = staff(role)
        for path in pages:
            assert [*standing(visitor.get(path).text)] == [], path


def test_nothing_is_handed_on_before_it_is_chosen_what_to_whom_and_how_long(seen, staff, parts):
    page = seen["admin"][0]
    empty = {"taker": "", "act": "", "days": ""}
    answer = staff("admin").post("/admin/delegations", empty, page=page)
    assert answer.status_code == 400
    for told in ("Organisation", "What it may do in your place", "For how long"):
        assert f"{told}: fill this in" in answer.text
    with parts.doors.reading() as db:
        assert len(db.scalars(select(Delegation)).all()) == 1


def test_a_draw_is_for_the_programme_that_was_chosen(seen, staff):
    answer = staff("admin").get("/admin/draws/new?programme=")
    assert answer.status_code == 400
    assert "For which programme: fill this in" in answer.text
    assert seen


@pytest.mark.usefixtures("seen")
def test_an_opening_a_site_and_a_colleague_are_of_what_was_chosen(staff):
    admin = staff("admin")
    told = OPENING | {"programme": "", "shown": shown(admin)}
    answer = admin.post("/admin/opening/change", told)
    assert (answer.status_code, "For which programme: fill" in answer.text) == (400, True)
    answer = admin.post("/admin/sites/new", SITE | {"organisation": ""})
    assert (answer.status_code, "Organisation: " in answer.text) == (400, True)
    answer = admin.post("/admin/staff", {"name": "Nell New", "role": "", "site": ""})
    assert (answer.status_code, "Role: choose one" in answer.text) == (400, True)
    assert "Place: choose" not in answer.text, "which place it needs depends on the role"
    told = {"organisation": "", "day": f"{NOW + timedelta(days=9):%Y-%m-%d}", "name_en": "Storm"}
    answer = admin.get("/admin/holidays/declare", query_string=told)
    assert (answer.status_code, "Organisation: choose one" in answer.text) == (400, True)


def test_a_fridge_is_of_the_kind_that_was_chosen(staff, parts):
    told = {"name": "A", "kind": ""}
    answer = staff("lead").post("/clinic/stock/settle", told, page="/clinic/stock")
    assert (answer.status_code, "Kind: choose one" in answer.text) == (400, True)
    with parts.doors.reading() as db:
        assert db.scalars(select(Fridge)).all() == []


def test_a_case_moves_and_a_reaction_is_after_the_dose_as_was_chosen(seen, staff, parts):
    [case], nurse = seen["inspector"], staff("nurse")
    answer = staff("inspector").post(case, {"state": ""})
    assert (answer.status_code, "Move the case on: choose one" in answer.text) == (400, True)
    answer = nurse.post(seen["nurse"][1], TOLD | {"dose": ""})
    assert (answer.status_code, "After which dose: fill" in answer.text) == (400, True)
    with parts.doors.reading() as db:
        assert db.scalars(select(AdverseEvent.state)).all() == ["reported"]


def test_a_document_is_of_the_kind_that_was_chosen(seen, staff, parts):
    visit = seen["nurse"][0]
    [kinds] = re.findall(r'(?s)name="identity_kind".*?</select>', staff("clerk").get(visit).text)
    assert " selected" not in kinds
    told = {"identity_kind": "", "identity_value": "KANARI 9"}
    answer = staff("clerk").post(f"{visit}/document", told, page=visit)
    assert (answer.status_code, "Kind of document: choose one" in answer.text) == (400, True)
    with parts.doors.reading() as db:
        assert db.scalars(select(Identity.kind)).all() == ["passport"]


def test_who_is_taken_out_of_turn_is_so_for_the_reason_that_was_chosen(staff, parts, clinic):
    with parts.doors.transaction() as db:
        source = files.sources("programme")[0]
        phase = source.content["phases"][0] | {"opens_on": str(NOW.date() + timedelta(days=40))}
        changed = replace(source, content=source.content | {"phases": [phase]}, sha256="later")
        knowledge.load(db, now=NOW, more=[changed])
    asked = f"?source=phone&slot={clinic.slots[0].hex}&second=later"
    nurse = staff("nurse")
    page = newcomer(nurse, asked)
    assert [*standing(page.text)] == []
    answer = nurse.post(f"{DOOR}/hold{asked}", {"reason": ""}, page=f"{DOOR}/find{asked}")
    assert (answer.status_code, "The reason: fill this in" in answer.text) == (409, True)
