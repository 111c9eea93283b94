"""A citizen comes in by reference, birth date and code, and sees their own things only."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.hcert import qr
from healthcert.jobs.certificates import sign_pending
from healthcert.models import Person, Slot, Staff, new_id
from healthcert.services import findings
from tests.certificates import NOW
from tests.factories import COVID, NEGATIVE, day
from tests.web.conftest import ALIA, Browser, enter, tell


def test_the_right_code_opens_ones_own_record(holder):
    page = holder().get("/my/").text
    assert "كنارية الكناري" in page
    assert "Harbour" in page


def test_what_comes_next_stands_before_what_comes_later_and_what_is_over(
    browser,
    clinic,
    newest_message,
    parts,
    later,  # noqa: ARG001
):
    with parts.doors.reading() as db:
        then = db.scalars(select(Slot.id).where(Slot.starts_at > NOW + timedelta(days=20))).first()
    asked = f"?slot={clinic.slots[1]}&second={then}"
    tell(browser, asked, ALIA)
    browser.post(f"/book/check{asked}")
    number = re.search(r"HC-\w{4}-\w{4}", browser.get("/book/done").text)[0]
    page = enter(browser, number, newest_message).get("/my/").text
    shown = re.findall(r"(First|Second) dose", page)
    assert shown == ["First", "Second"]
    path = re.search(r"/my/appointments/[0-9a-f-]{36}", page)[0]
    browser.post(f"{path}/cancel")
    assert re.findall(r"(First|Second) dose", browser.get("/my/").text) == ["Second", "First"]


def test_known_and_unknown_are_answered_alike(app, book):
    _visitor, number = book()
    answers = [
        Browser(app).post("/my/sign-in", {"reference": reference, "birth_date": birth})
        for reference, birth in (
            (number, ["27", "3", "1985"]),
            (number, ["28", "3", "1985"]),
            ("HC-0000-0000", ["27", "3", "1985"]),
        )
    ]
    assert {(answer.status_code, answer.location, answer.text) for answer in answers} == {
        (303, "/my/code", answers[0].text)
    }


def test_a_wrong_code_is_told_beside_its_field_and_lets_nobody_in(app, book):
    _visitor, number = book()
    visitor = Browser(app)
    visitor.post("/my/sign-in", {"reference": number, "birth_date": ["27", "3", "1985"]})
    answer = visitor.post("/my/code", {"code": "000000"})
    assert answer.status_code == 403
    assert "this code does not work" in answer.text
    assert visitor.get("/my/").status_code == 303


def test_the_sixth_try_fails_even_with_the_right_code(app, book, newest_message):
    _visitor, number = book()
    visitor = Browser(app)
    visitor.post("/my/sign-in", {"reference": number, "birth_date": ["27", "3", "1985"]})
    right = re.search(r"\d{6}", newest_message("code"))[0]
    for _ in range(5):
        visitor.post("/my/code", {"code": "x"})
    assert visitor.post("/my/code", {"code": right}).status_code == 403


@pytest.mark.parametrize("number", ["HC-7K4M-2QXX", "ذ", "'; DROP TABLE person; --", "x" * 5000])
@pytest.mark.usefixtures("clinic")
def test_what_is_no_reference_is_told_so(browser, number):
    answer = browser.post("/my/sign-in", {"reference": number, "birth_date": ["1", "1", "1990"]})
    assert answer.status_code == 400
    assert "check its letters and digits" in answer.text


def test_a_code_page_without_a_question_leads_back(browser):
    assert browser.get("/my/code").location == "/my/sign-in"
    assert browser.post("/my/code", {"code": "1"}, page="/my/sign-in").location == "/my/sign-in"


def test_after_signing_in_one_goes_where_one_wanted_to(app, book, newest_message):
    _visitor, number = book()
    visitor = Browser(app)
    wanted = visitor.get(f"/my/certificates/{new_id()}").location
    page = visitor.get(wanted).text
    action = re.search(r'action="(/my/sign-in[^"]*)"', page)[1]
    answer = visitor.post(
        action, {"reference": number, "birth_date": ["27", "3", "1985"]}, page=wanted
    )
    code = re.search(r"\d{6}", newest_message("code"))[0]
    answer = visitor.post(answer.location, {"code": code})
    assert answer.location.startswith("/my/certificates/")


def test_ones_own_record_says_which_dose_comes_next_and_from_when(vaccinated):
    citizen, _nurse, _dose = vaccinated()
    page = citizen.get("/my/").text
    assert "You need another dose." in page
    assert "23 March 2026" in page
    assert "Days after the dose before, at least" in page


def test_a_certificate_is_shown_with_both_spellings_and_saved_in_three_forms(vaccinated):
    citizen, _nurse, _dose = vaccinated()
    path = re.search(r"/my/certificates/[0-9a-f-]+", citizen.get("/my/").text)[0]
    page = citizen.get(path).text
    assert "كنارية الكناري" in page
    assert "KANARIAN&lt;&lt;KANARIA" in page
    assert "1 of 2" in page
    text = citizen.get(f"{path}.txt")
    assert text.mimetype == "text/plain"
    assert text.text.startswith("HC1:")
    assert qr.read(citizen.get(f"{path}.png?save=1").data)[0].text == text.text
    drawing = citizen.get(f"{path}.svg")
    assert drawing.mimetype == "image/svg+xml"
    assert drawing.headers["Cache-Control"] == "no-store"


def test_a_withdrawn_certificate_says_so_why_and_how_to_appeal(vaccinated):
    citizen, nurse, dose = vaccinated()
    path = re.search(r"/my/certificates/[0-9a-f-]+", citizen.get("/my/").text)[0]
    answer = nurse.post(f"{dose}/error", {"reason": "wrong_person"})
    assert answer.status_code == 303
    page = citizen.get(path).text
    assert "withdrawn" in page
    assert "It was somebody else" in page
    assert "go to the place that wrote it down" in page
    assert citizen.get(f"{path}.svg").status_code == 409


@pytest.mark.parametrize(
    ("language", "test", "recovery"),
    [
        ("en", "Test certificate", "Recovery certificate"),
        ("fr", "Certificat de test", "Certificat de rétablissement"),
        ("ar", "شهادة الفحص", "شهادة التعافي"),
    ],
)
def test_certificates_of_tests_and_recoveries_say_what_they_state(
    parts, clinic, holder, language, test, recovery
):
    citizen = holder()
    deed = {"vault": parts.vault, "country": parts.country, "now": NOW}
    told = findings.ToldTest(COVID, "LP6464-4", NEGATIVE, NOW, centre="Harbour Lab")
    with parts.doors.transaction() as db:
        deed["person_id"] = db.scalars(select(Person.id)).one()
        deed["staff"] = db.get_one(Staff, clinic.staff["nurse"])
        findings.record_test(db, told=told, **deed)
        paper = findings.Evidence("seen", parts.country.code)
        recovered = findings.ToldRecovery(COVID, day(-30), evidence=paper)
        findings.record_recovery(db, told=recovered, **deed)
    sign_pending(parts, NOW)
    asked = {"headers": {"Accept-Language": language}}
    paths = re.findall(r"/my/certificates/[0-9a-f-]+", citizen.get("/my/", **asked).text)
    pages = [citizen.get(path, **asked).text for path in paths]
    assert [recovery in pages[0], test in pages[1]] == [True, True]
    assert "Harbour Lab" in pages[1]
    assert citizen.get(f"{paths[0]}.txt").text.startswith("HC1:")


def test_anothers_certificate_and_appointment_are_not_found(vaccinated, holder):
    citizen, _nurse, _dose = vaccinated()
    path = re.search(r"/my/certificates/[0-9a-f-]+", citizen.get("/my/").text)[0]
    other = holder(identity_value="OTHER1", slot=1)
    for ending in ("", ".svg", ".png", ".txt"):
        assert other.get(path + ending).status_code == 404
    assert other.get(f"/my/certificates/{new_id()}").status_code == 404
    assert other.get(f"{path}.exe").status_code == 404


def test_an_appointment_is_given_back_and_its_place_is_free(holder):
    citizen = holder()
    action = re.search(r"/my/appointments/[0-9a-f-]+/cancel", citizen.get("/my/").text)[0]
    stranger = holder(identity_value="OTHER2", slot=1)
    assert stranger.post(action, page="/my/").status_code == 404
    assert citizen.post(action, page="/my/").status_code == 303
    assert "Cancelled" in citizen.get("/my/").text
    assert citizen.post(action, page="/my/").status_code == 409


def test_signing_out_ends_the_session_on_the_server(holder):
    citizen = holder()
    cookie = citizen.client.get_cookie("healthcert_session").value
    left = citizen.post("/sign-out", page="/my/")
    assert (left.status_code, left.headers["Clear-Site-Data"]) == (303, '"cache", "storage"')
    citizen.client.set_cookie("healthcert_session", cookie)
    assert citizen.get("/my/").status_code == 303


def test_the_home_page_names_what_the_sign_in_page_takes(browser):
    home, sign_in = browser.get("/").text, browser.get("/my/sign-in").text
    assert "your reference or the number of your document" in home
    assert 'value="reference"' in sign_in
    assert 'value="passport"' in sign_in
