"""Anybody books: place, time, details, check, done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.data import knowledge as files
from healthcert.models import Appointment, EligibilityDecision
from healthcert.services import knowledge
from tests.factories import NOW
from tests.web.conftest import ALIA, Browser


def test_a_citizen_books_without_an_account_and_holds_a_reference(book, newest_message):
    visitor, number = book()
    page = visitor.get("/book/done").get_data(as_text=True)
    assert "You are booked" in page
    assert "Harbour" in page
    assert number in newest_message("booked")


def test_the_nearest_free_times_are_offered_and_one_is_chosen(browser, clinic):
    asked = f"programme={clinic.programme_id}&dose=1&town=port-azur"
    page = browser.get(f"/book/slots?{asked}").get_data(as_text=True)
    assert page.count('type="radio"') == 3
    assert "km away" in page
    answer = browser.get(f"/book/slots?{asked}&go=1&slot={clinic.slots[1]}")
    assert answer.status_code == 303
    assert str(clinic.slots[1]) in answer.location


def test_going_on_without_a_choice_says_so(browser, clinic):
    asked = f"programme={clinic.programme_id}&dose=1&town=port-azur&go=1"
    answer = browser.get(f"/book/slots?{asked}")
    assert answer.status_code == 400
    assert "choose one of the answers" in answer.get_data(as_text=True)


def test_searching_makes_no_session(browser, clinic):
    answer = browser.get(f"/book/slots?programme={clinic.programme_id}&dose=1&town=jabal")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_the_check_page_shows_the_name_as_the_certificate_will_spell_it(browser, clinic):
    asked = f"?slot={clinic.slots[0]}&dose=1"
    assert browser.post(f"/book/details{asked}", ALIA).status_code == 303
    page = browser.get(f"/book/check{asked}").get_data(as_text=True)
    assert "KANARIAN&lt;&lt;KANARIA" in page
    assert "كنارية الكناري" in page


def test_a_full_slot_loses_nothing_that_was_typed(app, book, clinic):
    book(identity_value="A1")
    book(identity_value="A2")
    late = Browser(app)
    asked = f"?slot={clinic.slots[0]}&dose=1"
    late.post(f"/book/details{asked}", ALIA | {"identity_value": "A3"})
    answer = late.post(f"/book/check{asked}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert str(clinic.slots[1]) in page
    assert f"/book/check?slot={clinic.slots[0]}" not in page
    answer = late.post(f"/book/check?slot={clinic.slots[1]}&dose=1")
    assert answer.status_code == 303


def test_nobody_is_booked_twice_for_one_dose(app, book, clinic):
    book()
    again = Browser(app)
    asked = f"?slot={clinic.slots[1]}&dose=1"
    again.post(f"/book/details{asked}", ALIA)
    answer = again.post(f"/book/check{asked}")
    assert answer.status_code == 409
    assert "We cannot book with these details" in answer.get_data(as_text=True)


def test_wrong_fields_are_named_beside_them_and_what_was_typed_stays(browser, clinic):
    asked = f"?slot={clinic.slots[0]}&dose=1"
    answer = browser.post(
        f"/book/details{asked}",
        ALIA | {"family": "", "birth_date": ["31", "2", "1985"], "family_latin": "Хаддад"},
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "<title>Error:" in page
    for words in ("Family name: fill this in", "enter a real date", "use Latin letters"):
        assert words in page
    assert 'value="31"' in page
    assert 'value="كنارية"' in page
    assert "كنارية" in browser.get(f"/book/details{asked}").get_data(as_text=True)


def test_a_birth_year_alone_and_arabic_digits_will_do(book):
    _visitor, number = book(birth_date=["", "", "١٩٨٥"], identity_value="A9")
    assert number.startswith("HC-")


@pytest.mark.usefixtures("clinic")
def test_the_address_of_no_slot_is_not_found(browser):
    for slot in ("", "x", "01890000-0000-7000-8000-000000000000"):
        assert browser.get(f"/book/details?slot={slot}&dose=1").status_code == 404


def test_done_without_a_booking_begins_anew(browser):
    assert browser.get("/book/done").location == "/book/"


def test_sending_the_last_page_twice_books_once(book):
    visitor, _number = book()
    answer = visitor.post("/book/check", page="/book/details")
    assert answer.status_code in {303, 400}


def test_who_is_not_admitted_yet_is_told_from_when_and_it_is_kept(browser, clinic, parts):
    with parts.doors.transaction() as db:
        source = files.sources("programme")[0]
        opens = NOW.date() + timedelta(days=40)
        phase = source.content["phases"][0] | {"opens_on": str(opens)}
        changed = replace(source, content=source.content | {"phases": [phase]}, sha256="later")
        knowledge.load(db, now=NOW, more=[changed])

    asked = f"?slot={clinic.slots[0]}&dose=1"
    browser.post(f"/book/details{asked}", ALIA)
    answer = browser.post(f"/book/check{asked}")
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "It opens to you on" in page
    assert "Everybody" in page
    with parts.doors.reading() as db:
        [decision] = db.scalars(select(EligibilityDecision)).all()
        assert decision.outcome == "refused"
        assert db.scalars(select(Appointment)).all() == []
