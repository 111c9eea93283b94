"""The clinic's day: find, arrive, record, correct."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from healthcert.models import Appointment, Certificate, Dose, Person, Site, Staff
from healthcert.services import booking
from healthcert.services.looks import access_log
from tests import factories
from tests.certificates import NOW
from tests.web.conftest import ALIA, Browser, tell


@pytest.fixture
def expected(book, staff):
    """Return a nurse's browser and the path of an appointment on today's list."""

    def made(**changes):
        book(**changes)
        nurse = staff("nurse")
        return nurse, re.search(r"/clinic/appointments/[0-9a-f-]+", nurse.get("/clinic/").text)[0]

    return made


def given(clinic, **changes):
    return {
        "identity": "y", "product": str(clinic.product_id), "lot": clinic.lot, "body_site": "LA",
    } | changes  # fmt: skip


def test_the_day_list_shows_who_is_expected_and_finds_by_name_and_reference(book, staff):
    _visitor, number = book()
    book(
        identity_value="B2",
        family="Kanarière",
        given="Zoé-Kanariette",
        family_latin="",
        given_latin="",
    )
    clerk = staff("clerk")
    for wanted, names in (
        ("", ["كنارية الكناري", "Zoé-Kanariette Kanarière"]),
        ("kanarian", ["كنارية الكناري"]),
        ("kanariere z", ["Zoé-Kanariette Kanarière"]),
        (number.replace("-", "").lower(), ["كنارية الكناري"]),
        ("nobody", []),
    ):
        page = clerk.post("/clinic/", {"find": wanted}).text
        for name in ("كنارية الكناري", "Zoé-Kanariette Kanarière"):
            assert (f"<bdi>{name}</bdi>" in page) == (name in names), wanted


def test_every_look_at_a_person_is_written_down_with_what_it_was_for(expected, clinic, parts):
    nurse, path = expected()
    nurse.post("/clinic/", {"find": "nobody of that name"})
    assert looks(parts) == []
    nurse.post("/clinic/", {"find": "kanarian"})
    nurse.get(path)
    dose = nurse.post(f"{path}/dose", given(clinic)).location
    nurse.get(dose)
    nurse.get(f"{dose}/error")
    # the form of the dose is seen once when it is asked for, and once when it is sent
    assert looks(parts) == ["registration"] * 2 + ["care"] * 3 + ["correction"]


def looks(parts) -> list[str]:
    with parts.doors.reading() as db:
        [person_id] = db.scalars(select(Person.id))
        found = access_log(db, person_id=person_id)
    assert {look.role for look in found} <= {"nurse"}
    return [look.reason for look in reversed(found)]


def test_a_dose_that_counts_is_certified_at_once(expected, clinic, parts):
    nurse, path = expected()
    assert nurse.post(f"{path}/arrived", page=path).status_code == 303
    assert "Arrived" in nurse.get(path).text
    answer = nurse.post(f"{path}/dose", given(clinic))
    page = nurse.get(answer.location).text
    assert "It counts as dose 1" in page
    assert "The certificate is signed" in page
    with parts.doors.reading() as db:
        assert db.scalars(select(Certificate.state)).all() == ["issued"]


def test_a_dose_from_an_unknown_lot_is_recorded_and_does_not_count(expected, clinic, parts):
    nurse, path = expected()
    answer = nurse.post(f"{path}/dose", given(clinic, lot="other", other_lot="zz 99"))
    page = nurse.get(answer.location).text
    assert "Not settled: the lot, the day or the proof of it is not known" in page
    assert "No certificate" in page
    with parts.doors.reading() as db:
        assert db.scalars(select(Dose.lot_text)).all() == ["ZZ99"]


def test_a_dead_signer_loses_no_dose(expected, clinic, parts):
    nurse, path = expected()
    signers = parts.signers
    object.__setattr__(parts, "signers", {})
    answer = nurse.post(f"{path}/dose", given(clinic))
    object.__setattr__(parts, "signers", signers)
    assert answer.status_code == 303
    assert "will be signed in a few minutes" in nurse.get(answer.location).text
    with parts.doors.reading() as db:
        assert db.scalars(select(Certificate.state)).all() == ["intended"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identity": ""}, "confirm this first"),
        ({"lot": ""}, "Lot: fill this in"),
        ({"lot": "FORGED"}, "choose one of the answers"),
        ({"lot": "other"}, "Number of the other lot: fill this in"),
        ({"lot": "other", "other_lot": "x" * 21}, "too long"),
        ({"product": "x"}, "choose one of the answers"),
        ({"body_site": "nose"}, "choose one of the answers"),
        ({"given_at": "yesterday"}, "enter a real day and time"),
        ({"given_at": "0001-01-01T00:00"}, "enter a real day and time"),
        ({"given_at": "2030-01-01T00:00"}, "this has not come yet"),
    ],
)
def test_a_wrong_field_records_nothing(expected, clinic, parts, changes, words):
    nurse, path = expected()
    answer = nurse.post(f"{path}/dose", given(clinic, **changes))
    assert answer.status_code == 400
    assert words in answer.text
    with parts.doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(Dose)) == 0


def test_a_dose_is_recorded_once_and_who_sends_it_again_is_shown_it(expected, clinic):
    nurse, path = expected()
    assert nurse.post(f"{path}/dose", given(clinic)).status_code == 303
    again = nurse.post(f"{path}/dose", given(clinic, body_site="RA"))
    assert again.status_code == 409
    assert "The dose of this appointment was on record already" in again.text
    assert "Left arm" in again.text


def test_who_only_types_a_name_learns_nothing_of_the_dose_on_record(app, expected, clinic):
    nurse, path = expected()
    nurse.post(f"{path}/dose", given(clinic))
    answer = tell(Browser(app), f"?slot={clinic.slots[1]}&dose=1", ALIA)
    assert answer.status_code == 409
    assert "We cannot book with these details" in answer.text


def test_a_dose_is_recorded_though_its_appointment_was_cancelled_from_the_chair(
    expected, clinic, parts
):
    nurse, path = expected()
    with parts.doors.transaction() as db:
        mine = db.scalars(select(Appointment)).one()
        of = {"appointment_id": mine.id, "person_id": mine.person_id, "now": NOW}
        booking.cancel(db, vault=parts.vault, **of)
    assert f"{path}/dose" in nurse.get(path).text
    assert f'href="{path}"' in nurse.get(f"/clinic/people/{mine.person_id}").text
    assert "This appointment is over: Cancelled" in nurse.get(f"{path}/dose").text
    page = nurse.get(nurse.post(f"{path}/dose", given(clinic)).location).text
    assert "It counts as dose 1" in page
    assert "The appointment was over when the dose was written down: Cancelled" in page


def test_an_error_needs_a_reason_and_ends_the_certificate(expected, clinic):
    nurse, path = expected()
    dose = nurse.post(f"{path}/dose", given(clinic)).location
    answer = nurse.post(f"{dose}/error", {})
    assert answer.status_code == 400
    assert "choose one of the answers" in answer.text
    assert nurse.post(f"{dose}/error", {"reason": "not_given"}).status_code == 303
    page = nurse.get(dose).text
    assert "Entered in error" in page
    assert "Its certificate was withdrawn" in page
    assert nurse.post(f"{dose}/error", {"reason": "not_given"}).status_code == 409


def test_people_and_doses_of_another_site_are_not_found(expected, clinic, parts, app):
    nurse, path = expected()
    dose = nurse.post(f"{path}/dose", given(clinic)).location
    with parts.doors.transaction() as db:
        elsewhere = db.get_one(Site, factories.make_site(db).id)
        other = factories.make_staff(db, role="nurse", site_id=elsewhere.id, name="Olga Other").id
    stranger = Browser(app).sign_in(other)
    for path_of_theirs in (path, f"{path}/dose", dose, f"{dose}/error"):
        assert stranger.get(path_of_theirs).status_code == 404, path_of_theirs
    for action in (f"{path}/arrived", f"{path}/dose", f"{dose}/error"):
        answer = stranger.post(action, given(clinic, reason="other"), page="/clinic/")
        assert answer.status_code == 404, action


def test_a_member_of_staff_who_has_left_is_out_at_once(staff, clinic, parts):
    nurse = staff("nurse")
    with parts.doors.transaction() as db:
        db.get_one(Staff, clinic.staff["nurse"]).active = False
    assert nurse.get("/clinic/").status_code == 303


def test_the_administrator_sees_how_the_service_stands(staff, expected):
    expected()
    page = staff("admin").get("/admin/").text
    assert "Messages to send" in page
    assert "Key for vaccinations" in page
    assert "List of trusted issuers" in page


def test_the_head_of_the_site_corrects_an_entry_that_a_clerk_only_reads(expected, staff, clinic):
    nurse, path = expected()
    dose = nurse.post(f"{path}/dose", given(clinic)).location
    assert f"{dose}/error" in staff("lead").get(dose).text
    assert f"{dose}/error" not in staff("clerk").get(dose).text
    answer = staff("lead").post(f"{dose}/error", {"reason": "not_given"})
    assert answer.location == dose
    assert "Entered in error" in staff("lead").get(dose).text
