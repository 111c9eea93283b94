"""A party of whom some need another vaccination or another dose: together, all or none."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import select, update

from healthcert.data import knowledge as files
from healthcert.models import Appointment, Slot
from healthcert.services import knowledge
from tests.certificates import NOW
from tests.web.conftest import ALIA, Browser, tell

GROWN = {"given": "صغيرة", "given_latin": "Saghira", "birth_date": ["1", "6", "2010"]}
CHILD = GROWN | {"birth_date": ["1", "6", "2019"]}


@pytest.fixture
def given(clinic, fever):
    """Return what the address tells of a party of two, each of whom gets something else."""
    each = f"programme={clinic.programme_id}&programme={fever}"
    return f"?{each}&dose=1&dose=1&town=port-azur&people=2"


@pytest.fixture
def doses(clinic):
    """Return what the address tells of a mother who had her first dose, and her child."""
    return f"?programme={clinic.programme_id}&dose=2&dose=1&town=port-azur&people=2"


@pytest.fixture
def third(parts, clinic, later):  # noqa: ARG001
    """Let the series of the clinic's vaccine have three doses, the last two four weeks on."""
    vaccine = next(one for one in files.sources("vaccine") if one.content["name"] == "Comirnaty")
    three = vaccine.content["series"] | {"doses": 3}
    changed = [replace(vaccine, content=vaccine.content | {"series": three}, sha256="three")]
    with parts.doors.transaction() as db:
        knowledge.load(db, now=NOW, more=changed)


def times_in(page):
    return re.findall(r'name="\w+" type="radio" value="([0-9a-f.]{32,})"', page)


def appointments(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Appointment).order_by(Appointment.id)).all()


def chosen(browser, given, slot=0):
    """Choose a time for the first, and the one nearest to it for the second; both doses later."""
    answer = browser.get(f"/book/slots{given}")
    answer = browser.get(f"/book/slots{given}&go=1&slot={times_in(answer.text)[slot]}")
    page = browser.get(answer.location)
    told = f"{answer.location}&go=2&slot={times_in(page.text)[0]}"
    there = browser.get(told).location
    assert "/book/second" in there
    for _ in range(2):  # no dose follows that could be booked along
        there = browser.get(there).location
    return page.text, there.partition("?")[2].join(("?", ""))


def test_one_alone_is_asked_nothing_more_and_several_which_dose_it_is_for_each(browser, clinic):
    asked = f"?programme={clinic.programme_id}&dose=2&town=port-azur&people="
    assert times_in(browser.get(f"/book/slots{asked}1").text)
    page = browser.get(f"/book/slots{asked}3&slot={clinic.slots[0]}").text
    assert "Which dose does each of you need?" in page
    assert page.count('name="programme"') == 1, "there is but one"
    assert page.count('<option value="2" selected>') == page.count('name="dose"') == 3
    assert 'name="slot"' not in page, "it was chosen for others"
    assert times_in(browser.get(f"/book/slots{asked}3&dose=2&dose=1").text)
    assert browser.get(f"/book/slots{asked}2&dose=7").status_code == 404


def test_who_goes_back_finds_what_each_of_them_needs(browser, clinic, doses):
    page = browser.get(f"/book/slots{doses}").text
    [back] = re.findall(r'href="([^"]+)" class="govuk-back-link"', page)
    page = browser.get(unescape(back)).text
    assert re.findall(r'<option value="(\d)" selected>', page) == ["2", "1"]
    assert str(clinic.programme_id) in page


def test_a_first_and_a_second_dose_are_booked_at_one_time(browser, parts, doses, later):  # noqa: ARG001
    answer = browser.get(f"/book/slots{doses}")
    assert "Second dose · COVID-19 vaccination · Person <bdi>1</bdi>" in answer.text
    answer = browser.get(f"/book/slots{doses}&go=1&slot={times_in(answer.text)[0]}")
    page = browser.get(answer.location)
    assert "First dose · COVID-19 vaccination · Person <bdi>2</bdi>" in page.text
    answer = browser.get(f"{answer.location}&go=2&slot={times_in(page.text)[0]}")
    answer = browser.get(answer.location)  # nothing follows a second dose
    page = browser.get(answer.location)
    assert "Second dose · COVID-19 vaccination · Person <bdi>2</bdi>" in page.text
    answer = browser.get(f"{answer.location}&go=2&second={times_in(page.text)[0]}")
    asked = answer.location.partition("?")[2].join(("?", ""))
    tell(browser, asked, ALIA)
    tell(browser, asked, ALIA | GROWN | {"identity_value": "F2"}, 2)
    assert browser.post(f"/book/check{asked}").status_code == 303
    made = appointments(parts)
    mother = made[0].person_id
    assert [(one.state, one.dose_number) for one in made if one.person_id == mother] == [
        ("booked", 2)
    ]
    assert [one.dose_number for one in made if one.person_id != mother] == [1, 2]
    assert made[0].starts_at == made[1].starts_at < made[2].starts_at - timedelta(days=20)
    page = browser.get("/book/done").text
    assert len(set(re.findall(r"HC-\w{4}-\w{4}", page))) == 3


@pytest.mark.usefixtures("third")
def test_a_dose_that_is_booked_along_is_called_by_its_number(browser, doses):
    answer = browser.get(f"/book/slots{doses}")
    answer = browser.get(f"/book/slots{doses}&go=1&slot={times_in(answer.text)[0]}")
    page = browser.get(answer.location).text
    answer = browser.get(f"{answer.location}&go=2&slot={times_in(page)[0]}")
    for turn, called in ((1, "Third dose or booster"), (2, "Second dose")):
        page = browser.get(answer.location).text
        assert f"{called}: when do you want it?" in page
        answer = browser.get(f"{answer.location}&go={turn}&second={times_in(page)[0]}")
    asked = answer.location.partition("?")[2].join(("?", ""))
    tell(browser, asked, ALIA)
    tell(browser, asked, ALIA | GROWN | {"identity_value": "F2"}, 2)
    page = browser.get(f"/book/check{asked}").text
    assert "Third dose or booster · COVID-19 vaccination · Person <bdi>1</bdi>" in page
    assert browser.post(f"/book/check{asked}").status_code == 303
    page = browser.get("/book/done").text
    assert [page.count(each) for each in ("First", "Second", "Third")] == [1, 2, 1]


@pytest.mark.usefixtures("third")
def test_who_is_refused_a_dose_booked_along_is_told_which(browser, parts, clinic):
    asked = f"?slot={clinic.slots[0].hex}&dose=2"
    then = times_in(browser.get(f"/book/second{asked}").text)[0]
    source = files.sources("programme")[0]
    phase = source.content["phases"][0] | {"closes_on": str(NOW.date() + timedelta(days=9))}
    changed = replace(source, content=source.content | {"phases": [phase]}, sha256="closing")
    with parts.doors.transaction() as db:
        knowledge.load(db, now=NOW, more=[changed])
    answer = tell(browser, f"{asked}&second={then}", ALIA)
    assert answer.status_code == 409
    assert "It is about this dose: Third dose or booster." in answer.text


def test_who_needs_another_dose_is_named_and_chooses_it_and_nothing_is_lost(vaccinated, doses):
    mother, _nurse, _dose = vaccinated()
    wrong = doses.replace("dose=2", "dose=1")
    slot = times_in(mother.get(f"/book/slots{wrong}").text)[0]
    asked = f"{wrong}&slot={slot}&second=later&draft=0"
    person = re.search(r'value="([0-9a-f-]{36})"', mother.get(f"/book/who{asked}").text)[1]
    mother.post(f"/book/who{asked}", {"person": person})
    mother.post(f"/book/who{asked}&number=2", {"person": "new"})
    answer = tell(mother, asked, ALIA | GROWN | {"identity_value": "F2"}, 2)
    assert answer.status_code == 409
    for words in ("This dose is not due", "person <bdi>1</bdi>", "Choose another day, or another"):
        assert words in answer.text
    [other] = re.findall(r'href="([^"]+each=[^"]*)"', answer.text)
    assert "Which dose does each of you need?" in mother.get(unescape(other)).text
    assert 'value="F2"' in mother.get(f"/book/details{asked}&number=2&step=document").text


def left_out(browser, asked, page):
    """Go on without who was refused; return where that leads."""
    [there] = re.findall(r'action="([^"]+/without[^"]+)"', page)
    return browser.post(unescape(there), page=f"/book/check{asked}").location


def test_who_may_not_come_is_left_out_and_the_others_keep_their_times(browser, parts, clinic):
    first, other = (one.hex for one in clinic.slots[:2])
    asked = f"?slot={first}.{other}.{first}&dose=1&second=later"
    tell(browser, asked, ALIA)
    tell(browser, asked, ALIA | CHILD | {"identity_value": "F2"}, 2)
    answer = tell(browser, asked, ALIA | GROWN | {"identity_value": "F3"}, 3)
    assert answer.status_code == 409
    assert "person <bdi>2</bdi>" in answer.text
    there = left_out(browser, asked, answer.text)
    page = browser.get(there).text
    assert "Person <bdi>2</bdi>" in page
    assert "Person <bdi>3</bdi>" not in page
    assert browser.post(there).status_code == 303
    assert [one.slot_id.hex for one in appointments(parts)] == [first, first]
    assert browser.get("/book/done").text.count(GROWN["given"]) > 0
    alone, sign_in = f"/book/without?slot={first}&number=1", "/my/sign-in"
    assert browser.post(alone, page=sign_in).status_code == 404, "nobody else would be left"


def test_who_is_left_out_may_be_the_first_of_those_who_get_the_same(browser, parts, clinic, fever):
    page = browser.get(f"/book/slots?programme={fever}&dose=1&town=port-azur&people=1").text
    there, own = times_in(page)[0], clinic.slots[0].hex
    each = f"programme={clinic.programme_id}&programme={fever}&programme={clinic.programme_id}"
    asked = f"?{each}&dose=1&dose=1&dose=1&people=3&slot={own}.{own}&slot={there}"
    asked += "&second=later&second=later"
    tell(browser, asked, ALIA | CHILD)
    tell(browser, asked, ALIA | {"identity_value": "F2"}, 2)
    answer = tell(browser, asked, ALIA | GROWN | {"identity_value": "F3"}, 3)
    assert "person <bdi>1</bdi>" in answer.text
    there_now = left_out(browser, asked, answer.text)
    assert browser.post(there_now).status_code == 303
    made = {one.slot_id.hex: one.programme_id for one in appointments(parts)}
    assert made == {there: fever, own: clinic.programme_id}


def test_a_stranger_learns_of_no_dose_that_was_given_and_may_choose_another(
    app, vaccinated, clinic, doses
):
    vaccinated()
    visitor, slot = Browser(app), clinic.slots[1].hex
    asked = doses.replace("dose=2", "dose=1") + f"&slot={slot}.{slot}&second=later"
    tell(visitor, asked, ALIA)
    answer = tell(visitor, asked, ALIA | GROWN | {"identity_value": "F2"}, 2)
    assert answer.status_code == 409
    assert "We cannot book with these details" in answer.text
    assert "due" not in answer.text
    [other] = re.findall(r'href="([^"]+each=[^"]*)"', answer.text)
    assert "Which dose does each of you need?" in visitor.get(unescape(other)).text


def test_a_time_that_is_gone_is_chosen_anew_for_that_dose_alone(browser, parts, doses):
    _page, asked = chosen(browser, doses)
    tell(browser, asked, ALIA)
    with parts.doors.transaction() as db:
        first, other = (UUID(one) for one in re.findall(r"slot=([0-9a-f]{32})", asked))
        assert first == other
        db.execute(update(Slot).where(Slot.id == other).values(booked=1))
    answer = tell(browser, asked, ALIA | GROWN | {"identity_value": "F2"}, 2)
    assert answer.status_code == 409
    assert "First dose · COVID-19 vaccination · Person <bdi>2</bdi>" in answer.text
    assert appointments(parts) == []
    new = f"{asked.rpartition('slot=')[0]}slot={times_in(answer.text)[0]}&second=later"
    assert browser.post(f"/book/hold{new}", page=f"/book/check{new}").status_code == 303
    assert [one.dose_number for one in appointments(parts)] == [2, 1]


def test_several_are_asked_what_each_needs_and_may_all_need_the_same(browser, clinic, fever):
    asked = f"?programme={clinic.programme_id}&dose=1&dose=1&town=port-azur&people="
    page = browser.get(f"/book/slots{asked}2").text
    assert "Which vaccination does each of you need?" in page
    assert page.count('name="programme"') == 2
    assert page.count(f'value="{clinic.programme_id}" selected') == 2
    same = f"{asked}2&programme={clinic.programme_id}"
    assert all("." in each for each in times_in(browser.get(f"/book/slots{same}").text))
    assert times_in(browser.get(f"/book/slots{asked}1").text)
    assert browser.get(f"/book/slots{asked}2&programme=x").status_code == 400
    assert browser.get(f"/book/slots{asked}2&programme={fever}&programme={fever}").text


def test_two_programmes_are_booked_at_one_place_and_time(browser, clinic, fever, parts, given):
    page, asked = chosen(browser, given)
    assert "Yellow fever vaccination" in page
    assert "Person <bdi>2</bdi> of <bdi>2</bdi>" in page
    assert "As near as can be" in page
    tell(browser, asked, ALIA)
    tell(browser, asked, ALIA | CHILD | {"identity_value": "F2"}, 2)
    page = browser.get(f"/book/check{asked}").text
    for words in ("Comirnaty", "Stamaril", "Kept for you until", "Yellow fever vaccination"):
        assert words in page
    assert browser.post(f"/book/check{asked}").status_code == 303
    one, other = appointments(parts)
    assert {one.programme_id, other.programme_id} == {clinic.programme_id, fever}
    assert one.starts_at == other.starts_at
    assert one.person_id != other.person_id
    assert one.party_id == other.party_id
    assert browser.get("/book/done").text.count("Stamaril") == 1


def test_a_time_that_is_gone_is_chosen_anew_for_that_programme_alone(browser, parts, given):
    _page, asked = chosen(browser, given)
    first, other = re.findall(r"slot=([0-9a-f]{32})", asked)
    with parts.doors.transaction() as db:
        db.execute(update(Slot).where(Slot.id == UUID(other)).values(capacity=2, booked=2))
    tell(browser, asked, ALIA)
    answer = tell(browser, asked, ALIA | CHILD | {"identity_value": "F2"}, 2)
    assert answer.status_code == 409
    assert "Yellow fever vaccination" in answer.text
    assert f'name="slot" value="{first}"' in answer.text
    assert other not in times_in(answer.text)
    assert appointments(parts) == []
    new = asked.replace(other, times_in(answer.text)[0])
    assert browser.post(f"/book/hold{new}", page=f"/book/check{new}").status_code == 303
    assert len(appointments(parts)) == 2


def test_where_nothing_is_free_beside_it_another_time_is_offered(browser, parts, given):
    with parts.doors.transaction() as db:
        late = select(Slot.id).where(Slot.starts_at >= NOW + timedelta(minutes=60))
        for slot_id in db.scalars(late).all():
            db.execute(update(Slot).where(Slot.id == slot_id).values(capacity=1, booked=1))
    page = browser.get(f"/book/slots{given}").text
    [first] = times_in(page)
    page = browser.get(f"/book/slots{given}&slot={first}").text
    assert len(times_in(page)) == 1


def test_a_place_that_was_not_chosen_for_each_is_not_found(browser, clinic, given):
    slot = clinic.slots[0].hex
    for told in (f"&slot={slot}", f"&slot={slot}.{slot}&slot={slot}", f"&slot={slot}&slot=later"):
        assert browser.get(f"/book/details{given}{told}&step=name").status_code == 404
        assert browser.get(f"/book/second{given}{told}").status_code == 404
    assert browser.get(f"/book/slots{given}&go=9&slot=x").status_code in {400, 404}
