"""A party in which not everybody needs the same: beside each other, and all or none."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from healthcert.models import Appointment, Slot
from tests.certificates import NOW
from tests.web.conftest import ALIA, tell

CHILD = {"given": "صغيرة", "given_latin": "Saghira", "birth_date": ["1", "6", "2019"]}


@pytest.fixture
def given(clinic, fever):
    """Return what the address tells of a party of two, each of whom gets something else."""
    each = f"programme={clinic.programme_id}&programme={fever}"
    return f"?{each}&dose=1&town=port-azur&people=2"


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


def test_one_alone_or_with_one_programme_is_asked_nothing_more(browser, clinic):
    asked = f"?programme={clinic.programme_id}&dose=1&town=port-azur&people=2"
    assert times_in(browser.get(f"/book/slots{asked}").text)


def test_several_are_asked_what_each_needs_and_may_all_need_the_same(browser, clinic, fever):
    asked = f"?programme={clinic.programme_id}&dose=1&town=port-azur&people="
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
