"""The administrator's door: who works where, what is handed on, and how it ends."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.models import Delegation
from tests.web.conftest import two_levels

ON = "sqlite"  # the services are tested on both engines

PAGE, PEOPLE = "/admin/organisations", "/admin/staff"


@pytest.fixture
def given(app, clinic):
    """Return the delegation from the admin's region to the clinic's agency, and the agency."""
    return two_levels(app, clinic)


def handed(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Delegation).order_by(Delegation.ends_at)).all()


@pytest.mark.usefixtures("given")
def test_an_administrator_sees_people_and_places_in_reach(staff, clinic):
    admin = staff("admin")
    page = admin.get(PAGE).text
    for words in ("Northern region", "Harbour agency", "Harbour"):
        assert words in page
    page = admin.get(PEOPLE).text
    assert "Nadia Nurse" in page
    assert f"{clinic.staff['nurse']}/end" in page
    assert "Adam Admin" in page
    assert f"{clinic.staff['admin']}/end" not in page
    assert "Kim Keys" not in page, "works for nobody in reach"


@pytest.mark.usefixtures("given")
def test_an_inspector_sees_and_decides_nothing(staff):
    inspector = staff("inspector")
    assert "Nadia Nurse" in inspector.get(PEOPLE).text
    for path in (PAGE, PEOPLE):
        page = inspector.get(path).text
        assert "<form" not in page.partition("<main")[2].partition("</main")[0]


@pytest.mark.usefixtures("given")
def test_whoever_is_let_go_is_out_at_the_next_request(staff, clinic):
    nurse, admin = staff("nurse"), staff("admin")
    assert nurse.get("/clinic/").status_code == 200
    answer = admin.post(f"/admin/staff/{clinic.staff['nurse']}/end", page=PEOPLE)
    assert answer.location == PEOPLE
    assert nurse.get("/clinic/").location.startswith("/sign-in")
    assert "Nadia Nurse" not in admin.get(PEOPLE).text


def test_an_act_is_handed_on_and_taken_back(staff, parts, given):
    admin = staff("admin")
    typed = {"taker": str(given[1]), "act": "recover_staff", "days": "30"}
    assert admin.post("/admin/delegations", typed, page=PAGE).location == PAGE
    assert [one.act for one in handed(parts)] == ["end_work", "recover_staff"]
    assert admin.post(f"/admin/delegations/{given[0]}/revoke", page=PAGE).location == PAGE
    assert [one.revoked_at is None for one in handed(parts)] == [False, True]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"act": "record_dose"}, 400), ({"act": ""}, 400), ({"days": "9999"}, 400),
        ({"days": "x"}, 400), ({"taker": "x"}, 404),
        ({"taker": "01890000-0000-7000-8000-000000000000"}, 404),
    ],
)  # fmt: skip
def test_what_cannot_be_handed_on_is_refused(staff, parts, given, changes, status):
    typed = {"taker": str(given[1]), "act": "recover_staff", "days": "30"} | changes
    assert staff("admin").post("/admin/delegations", typed, page=PAGE).status_code == status
    assert len(handed(parts)) == 1


def test_after_five_minutes_the_deed_waits_for_a_proof(staff, clock, parts, given):
    admin = staff("admin")
    admin.get(PAGE)
    clock.pass_by(minutes=6)
    answer = admin.post(
        f"/admin/delegations/{given[0]}/revoke", page=PAGE,
        headers={"Referer": f"http://localhost{PAGE}"},
    )  # fmt: skip
    assert answer.location == "/sign-in/again?next=%2Fadmin%2Forganisations"
    assert handed(parts)[0].revoked_at is None
