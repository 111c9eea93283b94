"""Anybody books: what and where, times, the second dose, who, check, done."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from zoneinfo import ZoneInfo

import icalendar
import pytest
from sqlalchemy import select, update

from healthcert.data import knowledge as files
from healthcert.models import (
    Appointment,
    ClinicSession,
    EligibilityDecision,
    Person,
    Product,
    Programme,
    Site,
    Slot,
)
from healthcert.services import knowledge
from healthcert.services.people import details_of
from tests import factories
from tests.certificates import NOW
from tests.web.conftest import ALIA, Browser, tell

OTHERS = [
    {"given": "صغيرة", "given_latin": "Saghira", "birth_date": ["1", "6", "2010"]},
    {"given": "كبير", "given_latin": "Kabir", "birth_date": ["2", "7", "1955"], "sex": "male"},
    {"given": "زهرة", "given_latin": "Zahra", "birth_date": ["3", "8", "1990"]},
]


@pytest.fixture
def where(clinic):
    """Return the part of the address that tells what is wanted and where."""
    return f"programme={clinic.programme_id}&dose=1&town=port-azur&people=1"


def times_in(page):
    return re.findall(r'name="\w+" type="radio" value="([0-9a-f.]{32,})"', page)


def held(parts, *states):
    with parts.doors.reading() as db:
        found = db.scalars(select(Appointment).order_by(Appointment.id)).all()
    return [one for one in found if not states or one.state in states]


def begin(visitor, clinic, people=1, **more):
    """Choose the first time of those offered, and its second dose; return the address so far."""
    given = {"programme": clinic.programme_id, "town": "port-azur", "people": people}
    given["dose"] = [1] * people
    answer = visitor.get("/book/slots", query_string=given | more)
    slot = times_in(answer.text)[0]
    answer = visitor.get("/book/slots", query_string=given | more | {"slot": slot, "go": 1})
    page = visitor.get(answer.location)
    if page.status_code == 200:  # a second dose is proposed
        address = f"{answer.location}&go=1&second={times_in(page.text)[0]}"
        page = visitor.get(address)
    assert page.status_code == 303, page.text
    return page.location.partition("?")[2].join(("?", ""))


def test_a_citizen_books_without_an_account_and_holds_a_reference(book, newest_message):
    visitor, number = book()
    page = visitor.get("/book/done").get_data(as_text=True)
    assert "You are booked" in page
    assert "Harbour" in page
    assert number in newest_message("booked")


def test_an_answer_begins_like_a_sentence_and_an_example_runs_like_its_boxes(browser, clinic):
    page = browser.get("/book/").text
    assert re.findall(r'name="needs".*?<label[^>]*>\s*(\w+)', page, re.DOTALL) == ["Step", "A"]
    asked = f"?slot={clinic.slots[0]}&second=later&step=birth&lang=ar"
    page = browser.get(f"/book/details{asked}").text
    assert "27 3 1985" in page
    assert "<bdi>27" not in page, "isolated it would run from the left, and the boxes do not"


def test_four_people_book_both_doses_together(browser, clinic, parts, later):  # noqa: ARG001
    wide(parts)
    asked = begin(browser, clinic, people=4)
    for number, changes in enumerate([{}, *OTHERS], 1):
        tell(browser, asked, ALIA | changes | {"identity_value": f"P{number}"}, number)
    page = browser.get(f"/book/check{asked}").text
    assert "Kept for you until" in page
    assert "Person <bdi>4</bdi> of <bdi>4</bdi>" in page
    assert "Passport <bdi>P4</bdi>" in page
    assert len(held(parts, "held")) == 8
    assert browser.post(f"/book/check{asked}").status_code == 303
    assert len(held(parts, "booked")) == 8
    page = browser.get("/book/done").text
    references = set(re.findall(r"HC-\w{4}-\w{4}", page))
    assert len(references) == 8
    file = browser.get("/book/done.ics")
    assert file.mimetype == "text/calendar"
    events = icalendar.Calendar.from_ical(file.data).walk("VEVENT")
    assert len(events) == 8
    days = {event["dtstart"].dt.date() for event in events}
    assert days == {NOW.date(), NOW.date() + timedelta(days=28)}


def test_a_family_that_takes_several_times_is_told_how_long_it_takes(browser, clinic, parts):
    with parts.doors.transaction() as db:
        for number, slot_id in enumerate(clinic.slots, 1):
            ends_at = NOW + timedelta(minutes=30 * number + 30)
            db.execute(update(Slot).where(Slot.id == slot_id).values(ends_at=ends_at))
    zone = ZoneInfo("Asia/Beirut")
    times = [f"{(NOW + timedelta(minutes=30 * n)).astimezone(zone):%H:%M}" for n in (1, 2, 3, 4)]
    asked = f"programme={clinic.programme_id}&dose=1&town=port-azur&people=1"
    assert (
        " \N{EN DASH} "
        not in re.findall(r"<bdi>(.*?)</bdi>", browser.get(f"/book/slots?{asked}").text)[0]
    )
    page = browser.get(f"/book/slots?{asked.replace('people=1', 'people=3&dose=1&dose=1')}").text
    assert f"{times[0]} \N{EN DASH} {times[2]}</bdi>" in page
    assert f"{times[1]} \N{EN DASH} {times[3]}</bdi>" in page


def test_who_comes_at_another_time_than_the_first_is_shown_it_before_it_is_booked(
    browser, clinic, parts
):
    first, then, _last = clinic.slots
    asked = f"?slot={first}.{first}.{then}&second=later"
    for number, changes in enumerate([{}, *OTHERS[:2]], 1):
        tell(browser, asked, ALIA | changes | {"identity_value": f"P{number}"}, number)
    page = re.sub(r"<.*?>", "", browser.get(f"/book/check{asked}").text)
    for minutes, persons in (30, "Person 1 of 3 · Person 2 of 3"), (60, "Person 3 of 3"):
        assert f"{persons}\n" in page
        begins = (NOW + timedelta(minutes=minutes)).astimezone(ZoneInfo("Asia/Beirut"))
        assert f"{begins:%H:%M}" in page
    assert browser.post(f"/book/check{asked}").status_code == 303
    assert len({one.starts_at for one in held(parts, "booked")}) == 2


def test_how_the_others_are_reached_is_not_asked_anew(browser, clinic):
    asked = f"?slot={clinic.slots[0]}.{clinic.slots[0]}&second=later"
    tell(browser, asked, ALIA)
    page = browser.get(f"/book/details{asked}&number=2&step=contact").text
    assert 'value="+44 (7700) 900123"' in page


def test_a_family_is_held_whole_or_not_at_all(browser, clinic, parts, later):  # noqa: ARG001
    asked = begin(browser, clinic, people=2)
    for number in (1, 2):  # twice the same person
        answer = tell(browser, asked, ALIA, number)
    assert answer.status_code == 409
    assert "about person <bdi>2</bdi>" in answer.text
    assert held(parts) == []


def test_the_second_dose_can_be_left_for_later(browser, clinic, parts, later):  # noqa: ARG001
    asked = f"?slot={clinic.slots[0]}&dose=1"
    page = browser.get(f"/book/second{asked}").text
    assert "Later, not now" in page
    answer = browser.get(f"/book/second{asked}&second=later&go=1")
    tell(browser, f"{asked}&second=later", ALIA)
    assert browser.post(answer.location.replace("/who", "/check")).status_code == 303
    assert [one.dose_number for one in held(parts)] == [1]


def test_the_times_for_a_second_dose_end_with_its_interval(browser, clinic, parts):
    with parts.doors.transaction() as db:
        of = db.get_one(ClinicSession, db.get_one(Slot, clinic.slots[0]).session_id)
        made = [
            factories.make_slot(db, session=factories.make_session(
                db, day=factories.day(days), site=db.get_one(Site, of.site_id),
                product=db.get_one(Product, of.product_id),
                programme=db.get_one(Programme, of.programme_id),
            )).id
            for days in (35, 42, 43)
        ]  # fmt: skip
    page = browser.get(f"/book/second?slot={clinic.slots[0]}&dose=1").text
    assert times_in(page) == [one.hex for one in made[:2]]


def wide(parts):
    with parts.doors.transaction() as db:
        db.execute(update(Slot).values(capacity=4))


def test_the_nearest_free_times_are_offered_and_one_is_chosen(browser, clinic):
    asked = f"programme={clinic.programme_id}&dose=1&town=port-azur&people=1"
    page = browser.get(f"/book/slots?{asked}").get_data(as_text=True)
    assert page.count('name="slot"') == 3
    assert "km away" in page


def test_what_is_known_of_a_place_is_told_with_its_first_time_only(browser, clinic, parts):
    with parts.doors.transaction() as db:
        db.execute(update(Site).values(facilities=["hearing_loop"]))
    asked = f"programme={clinic.programme_id}&dose=1&town=port-azur&people=1"
    page = browser.get(f"/book/slots?{asked}").get_data(as_text=True)
    assert (page.count("km away"), page.count("hearing loop")) == (3, 1)
    answer = browser.get(f"/book/slots?{asked}&go=1&slot={clinic.slots[1].hex}")
    assert answer.status_code == 303
    assert clinic.slots[1].hex in answer.location


def test_what_somebody_needs_narrows_the_times_and_goes_along(browser, clinic):
    asked = f"programme={clinic.programme_id}&dose=1&dose=1&town=port-azur&people=2"
    page = browser.get(f"/book/slots?{asked}&needs=step_free&language=fr").text
    assert "No time is free just now" in page
    assert "needs=step_free" in page
    assert browser.get(f"/book/slots?{asked}&needs=wings").status_code == 400
    assert browser.get(f"/book/slots?{asked}&people=9").status_code == 200
    assert browser.get(f"/book/slots?{asked.replace('=2', '=9')}").status_code == 400
    assert browser.get("/book/slots?" + asked.partition("&")[2]).status_code == 400


def test_going_on_without_a_choice_says_so(browser, clinic):
    asked = f"programme={clinic.programme_id}&dose=1&town=port-azur&people=1&go=1"
    answer = browser.get(f"/book/slots?{asked}")
    assert answer.status_code == 400
    assert "choose one of the answers" in answer.get_data(as_text=True)


def test_from_a_day_that_is_past_today_counts_and_the_last_day_there_is_is_one(browser, where):
    for since, count in ("since=1&since=1&since=2020", 3), ("since=31&since=12&since=9999", 0):
        answer = browser.get(f"/book/slots?{where}&{since}")
        assert answer.status_code == 200
        assert len(times_in(answer.text)) == count


def test_what_is_wrong_is_said_without_the_questions_mark(browser, where):
    page = browser.get(f"/book/slots?{where.replace('port-azur', '')}").text
    assert "Which town is nearest to you: fill this in" in page


def test_searching_makes_no_session(browser, clinic, later):  # noqa: ARG001
    asked = f"programme={clinic.programme_id}&dose=1&town=jabal&people=1"
    for page in (f"slots?{asked}", f"second?slot={clinic.slots[0]}"):
        answer = browser.get(f"/book/{page}")
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers


def test_the_check_page_shows_the_name_as_the_certificate_will_spell_it(browser, clinic):
    asked = f"?slot={clinic.slots[0]}&second=later"
    assert "/book/check" in tell(browser, asked, ALIA).location
    page = browser.get(f"/book/check{asked}").get_data(as_text=True)
    assert "KANARIAN&lt;&lt;KANARIA" in page
    assert "كنارية الكناري" in page


def test_a_changed_answer_leads_straight_back_to_the_check(browser, clinic, parts):
    asked = f"?slot={clinic.slots[0]}&second=later"
    tell(browser, asked, ALIA)
    before = held(parts, "held")
    answer = browser.post(f"/book/details{asked}&number=1&step=name", ALIA | {"given": "هند"})
    assert "/book/check" in answer.location
    page = browser.get(answer.location).text
    assert "هند" in page
    assert "Kept for you until" in page
    assert [one.id for one in held(parts)] == [one.id for one in before], "held anew for a name"
    assert browser.post(f"/book/check{asked}").status_code == 303
    assert "هند" in browser.get("/book/done").text
    [one] = held(parts, "booked")
    with parts.doors.reading() as db:
        assert details_of(parts.vault, db.get_one(Person, one.person_id)).given == "هند"


def test_a_wrong_birth_date_is_put_right_though_a_document_was_told(browser, clinic, parts):
    asked = f"?slot={clinic.slots[0]}&second=later"
    tell(browser, asked, ALIA)
    right = {"birth_date": ["27", "3", "1984"], "identity_value": "KANARI 999"}
    for step in ("birth", "document"):
        browser.post(f"/book/details{asked}&number=1&step={step}", ALIA | right)
    assert browser.post(f"/book/check{asked}").status_code == 303
    [one] = held(parts, "booked")
    with parts.doors.reading() as db:
        found = details_of(parts.vault, db.get_one(Person, one.person_id))
        assert (found.birth_date, found.identity.value) == ("1984-03-27", "KANARI999")
        assert len(db.scalars(select(Person)).all()) == 1


def test_nobody_gets_another_name_once_a_site_has_written_something_down(browser, clinic, parts):
    asked = f"?slot={clinic.slots[0]}&second=later"
    tell(browser, asked, ALIA)
    [one] = held(parts)
    with parts.doors.transaction() as db:
        factories.make_test(db, person=db.get_one(Person, one.person_id))
    browser.post(f"/book/details{asked}&number=1&step=name", ALIA | {"given": "هند"})
    browser.post(f"/book/check{asked}")
    with parts.doors.reading() as db:
        assert details_of(parts.vault, db.get_one(Person, one.person_id)).given == ALIA["given"]


def test_who_is_on_record_otherwise_is_not_changed_by_what_a_stranger_types(
    app, browser, clinic, parts
):
    mine, other = (f"?slot={slot}&second=later" for slot in clinic.slots[:2])
    tell(browser, mine, ALIA)
    stranger = Browser(app)
    tell(stranger, other, ALIA | {"identity_value": "T1"})
    for name in ("Guess", "Other"):
        changed = ALIA | {"given": name, "phone": "+447700900999"}
        for step in ("name", "document", "contact"):
            stranger.post(f"/book/details{other}&number=1&step={step}", changed)
        assert stranger.post(f"/book/check{other}").status_code == 409
    with parts.doors.reading() as db:
        for person in db.scalars(select(Person)):
            assert details_of(parts.vault, person).phone != "+447700900999"


def test_looking_holds_nothing_and_a_form_holds_the_other_time(browser, clinic, parts):
    first, other = (f"?slot={slot}&second=later" for slot in clinic.slots[:2])
    tell(browser, first, ALIA)
    for _ in range(20):  # as often as one likes: back, reload, and another time looked at
        assert "Kept for you until" in browser.get(f"/book/check{first}").text
        page = browser.get(f"/book/check{other}").text
        assert "This is not kept for you yet" in page
        assert browser.get(f"/book/hold{other}").location == f"/book/check{other}&draft=0"
    assert [one.slot_id for one in held(parts)] == [clinic.slots[0]]
    answer = browser.post(f"/book/hold{other}", page=f"/book/check{other}")
    assert answer.status_code == 303
    assert "Kept for you until" in browser.get(answer.location).text
    assert browser.post(f"/book/hold{other}", page=f"/book/check{other}").status_code == 303
    assert len(held(parts)) == 2, "what is held already is held once"


def test_whoever_goes_back_after_booking_sees_the_references(book, clinic):
    visitor, _number = book()
    for page in ("check", "hold"):
        assert visitor.get(f"/book/{page}?slot={clinic.slots[0]}&dose=1").location == "/book/done"


def test_another_time_is_held_and_the_first_goes_free(browser, clinic, parts):
    tell(browser, f"?slot={clinic.slots[0]}&second=later", ALIA)
    asked = f"?slot={clinic.slots[1]}&second=later"
    browser.post(f"/book/hold{asked}", page=f"/book/check{asked}")
    assert [one.slot_id for one in held(parts, "held")] == [clinic.slots[1]]
    with parts.doors.reading() as db:
        assert db.get_one(Slot, clinic.slots[0]).booked == 0


def test_a_hold_that_ran_out_is_taken_again_without_a_word(browser, clinic, parts, clock):
    asked = f"?slot={clinic.slots[2]}&second=later"
    tell(browser, asked, ALIA)
    clock.pass_by(minutes=11)
    page = browser.get(f"/book/check{asked}").text
    assert "is over" in page
    assert "Choose another time" in page
    answer = browser.post(f"/book/hold{asked}", page=f"/book/check{asked}")
    assert "Kept for you until" in browser.get(answer.location).text
    clock.pass_by(minutes=11)
    assert browser.post(f"/book/check{asked}").status_code == 303
    assert len(held(parts, "booked")) == 1


def test_a_hold_that_ran_out_and_was_taken_leads_to_the_next_best(
    app, browser, clinic, clock, where
):
    asked = f"?{where}&slot={clinic.slots[1]}&second=later"
    tell(browser, asked, ALIA)
    clock.pass_by(minutes=11)
    for number in (1, 2):
        other = Browser(app)
        tell(other, asked, ALIA | {"identity_value": f"T{number}"})
        assert other.post(f"/book/check{asked}").status_code == 303
    answer = browser.post(f"/book/check{asked}")
    assert answer.status_code == 409
    assert "What you typed is kept" in answer.text
    again = f"?{where}&slot={clinic.slots[2].hex}&second=later"
    assert clinic.slots[2].hex in answer.text
    assert browser.post(f"/book/check{again}").status_code == 303


def test_a_full_slot_loses_nothing_that_was_typed(app, book, clinic, where):
    book(identity_value="A1")
    book(identity_value="A2")
    late = Browser(app)
    asked = f"?{where}&slot={clinic.slots[0]}&second=later"
    answer = tell(late, asked, ALIA | {"identity_value": "A3"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert clinic.slots[1].hex in page
    answer = late.post(f"/book/check?slot={clinic.slots[1]}&second=later")
    assert answer.status_code == 303


def test_nobody_is_booked_twice_for_one_dose(app, book, clinic):
    book()
    again = Browser(app)
    asked = f"?slot={clinic.slots[1]}&second=later"
    answer = tell(again, asked, ALIA)
    assert answer.status_code == 409
    assert "We cannot book with these details" in answer.get_data(as_text=True)


def test_wrong_fields_are_named_beside_them_and_what_was_typed_stays(browser, clinic):
    asked = f"?slot={clinic.slots[0]}&number=1&step="
    answer = browser.post(
        f"/book/details{asked}name", ALIA | {"family": "", "family_latin": "Хаддад"}
    )
    answer = browser.get(answer.location)  # so that going back leads to a page and no form sent
    page = answer.text
    assert answer.status_code == 400
    assert "<title>Error:" in page
    for words in ("Family name: fill this in", "use Latin letters"):
        assert words in page
    assert 'value="كنارية"' in page
    assert "كنارية" in browser.get(f"/book/details{asked}name").get_data(as_text=True)
    answer = browser.post(f"/book/details{asked}birth", {"birth_date": ["31", "2", "1985"]})
    answer = browser.get(answer.location)
    assert answer.status_code == 400
    nobody_yet = Browser(browser.client.application).get(answer.request.full_path)
    assert nobody_yet.status_code == 200, "the draft is gone, since it was booked"
    assert "enter a real date" in answer.text
    assert 'value="31"' in answer.text
    assert "Family name" not in answer.text
    answer = browser.get(browser.get(f"/book/check?slot={clinic.slots[0]}").location)
    assert "step=name" in answer.location


def test_who_types_the_number_of_another_learns_nothing_of_their_record(app, book, clinic):
    book()
    other = Browser(app)
    asked = f"?slot={clinic.slots[1]}&dose=2&second=later"
    tell(other, asked, ALIA | {"given": "Guess", "given_latin": "", "family": "Work"})
    for page in ("check", "done"):
        other.post(f"/book/check{asked}")
        assert "كنارية" not in other.get(f"/book/{page}{asked}").text


def test_a_birth_year_alone_and_arabic_digits_will_do(book):
    _visitor, number = book(birth_date=["", "", "١٩٨٥"], identity_value="A9")
    assert number.startswith("HC-")


@pytest.mark.usefixtures("clinic")
@pytest.mark.parametrize("slot", ["", "x", "01890000-0000-7000-8000-000000000000"])
def test_the_address_of_no_slot_is_not_found(browser, slot):
    for page in ("second?", "details?number=1&", "check?second=later&"):
        assert browser.get(f"/book/{page}slot={slot}").status_code in {303, 404}
    assert browser.get(f"/book/details?slot={slot}&number=1").status_code == 404


def test_a_second_dose_that_is_none_or_for_too_few_is_not_found(browser, clinic):
    asked = f"?slot={clinic.slots[0]}.{clinic.slots[0]}&second={clinic.slots[1]}"
    answer = browser.get(f"/book/details{asked}&number=1&step=name")
    assert answer.status_code == 404
    assert browser.get(f"/book/check{asked}").status_code == 404


def test_done_without_a_booking_begins_anew(browser):
    assert browser.get("/book/done").location == "/book/"
    assert browser.get("/book/done.ics").status_code == 404


def test_who_was_away_too_long_goes_on_where_they_were(browser, clinic):
    asked = f"?slot={clinic.slots[0]}&second=later&number=1&step=name"
    answer = browser.client.post(f"/book/details{asked}", data=ALIA)
    assert "This page has expired" in answer.text
    [there] = re.findall(r'href="(/book/details[^"]+)"', answer.text)
    assert "What is your name?" in browser.get(unescape(there)).text


def test_what_another_window_changed_is_shown_before_it_is_booked(browser, clinic, parts):
    asked = f"?slot={clinic.slots[0]}&second=later"
    tell(browser, asked, ALIA)
    shown = re.search(r'name="shown" value="(\w+)"', browser.get(f"/book/check{asked}").text)[1]
    browser.post(f"/book/details{asked}&number=1&step=name", ALIA | {"given": "هند"})
    answer = browser.post(f"/book/check{asked}", {"shown": shown})
    assert answer.status_code == 409
    assert "changed in another window" in answer.text
    assert "هند" in answer.text
    assert held(parts, "booked") == []
    shown = re.search(r'name="shown" value="(\w+)"', answer.text)[1]
    assert browser.post(f"/book/check{asked}", {"shown": shown}).location == "/book/done"


def windows(browser, clinic):
    """Begin to book for one family, and for another in a second window; return both addresses."""
    one, other = (f"?slot={slot}&second=later" for slot in clinic.slots[:2])
    tell(browser, one, ALIA)
    asked = browser.get(f"/book/who{other}").text
    assert "Who are these times for?" in asked
    assert f"{ALIA['given']} {ALIA['family']}" in asked
    links = [unescape(each) for each in re.findall(r'href="(/book/who[^"]+)"', asked)]
    return one, [f"?{each.partition('?')[2]}" for each in links]


def test_two_windows_book_for_two_families_and_mix_nothing(browser, clinic, parts):
    one, (_them, other) = windows(browser, clinic)
    beside = ALIA | {"given": "هند", "family": "صباغ", "identity_value": "B2"}
    tell(browser, other, beside)
    for asked, name in ((one, ALIA["given"]), (other, "هند")):
        page = browser.get(f"/book/check{asked}").text
        [shown] = re.findall(r'name="shown" value="(\w+)"', page)
        done = browser.post(f"/book/check{asked}", {"shown": shown}).location
        assert name in page
        assert name in browser.get(done).text
    assert {one.slot_id for one in held(parts, "booked")} == {*clinic.slots[:2]}
    assert ALIA["given"] in browser.get("/book/done").text  # each window has its own in hand


def test_other_times_are_chosen_for_the_same_people(browser, clinic):
    one, (same, _others) = windows(browser, clinic)
    assert "/book/check" in browser.get(f"/book/who{same}").location
    again = re.search(r'href="(/book/slots[^"]+)"', browser.get(f"/book/check{one}").text)[1]
    assert "draft=0" in again  # from there nobody is asked


def test_two_windows_of_the_same_times_share_nothing(browser, clinic):
    asked = f"?slot={clinic.slots[0]}&second=later"
    begun = [browser.get(f"/book/who{asked}").location for _window in range(2)]
    said = [asked + re.search(r"&draft=\d", each)[0] for each in begun]
    assert said[0] != said[1]
    people = ALIA, ALIA | {"given": "هند", "family": "صباغ", "identity_value": "B2"}
    for one, person in zip(said, people, strict=True):
        tell(browser, one, person)
    for one, person in zip(said, people, strict=True):
        page = browser.get(f"/book/check{one}").text
        assert [each["given"] in page for each in people] == [person is each for each in people]
    assert "Who are these times for?" in browser.get(f"/book/who{asked}").text


def test_sending_the_last_page_twice_books_once(book, clinic, parts):
    visitor, _number = book()
    asked = f"?slot={clinic.slots[0]}&dose=1"
    answer = visitor.post(f"/book/check{asked}", page="/my/sign-in")
    assert answer.location == "/book/done"
    assert len(held(parts)) == 1


def test_who_is_not_admitted_yet_is_told_from_when_and_it_is_kept(browser, clinic, parts):
    with parts.doors.transaction() as db:
        source = files.sources("programme")[0]
        opens = NOW.date() + timedelta(days=40)
        phase = source.content["phases"][0] | {"opens_on": str(opens)}
        changed = replace(source, content=source.content | {"phases": [phase]}, sha256="later")
        knowledge.load(db, now=NOW, more=[changed])

    asked = f"?slot={clinic.slots[0]}&second=later"
    answer = tell(browser, asked, ALIA)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "It opens to you on" in page
    assert "/book/waiting?programme=" in page  # a place given back then may be theirs
    assert "Everybody" in page
    with parts.doors.reading() as db:
        [decision] = db.scalars(select(EligibilityDecision)).all()
        assert decision.outcome == "refused"
        assert db.scalars(select(Appointment)).all() == []


def test_a_whole_booking_is_within_sixty_kilobytes_over_the_wire(browser, clinic, later):  # noqa: ARG001
    sizes, zipped = [], {"Accept-Encoding": "br, gzip"}
    given = f"programme={clinic.programme_id}&dose=1&town=port-azur&people=1"
    asked = begin(browser, clinic)
    steps = [f"details{asked}&step={step}" for step in ("name", "birth", "document", "contact")]
    tell(browser, asked, ALIA)
    before = ["", f"slots?{given}", f"second{asked}", *steps, f"check{asked}"]
    for path in [f"/book/{each}" for each in before]:
        answer = browser.get(path, headers=zipped)
        assert answer.status_code == 200, path
        sizes.append(len(answer.data) + len(str(answer.headers)))
    assert browser.post(f"/book/check{asked}").status_code == 303
    page = browser.get("/book/done", headers=zipped)
    sizes.append(len(page.data) + len(str(page.headers)))
    for file in re.findall(r'(?:href|src)="(/static/[^"]+)"', browser.get("/book/").text):
        answer = browser.get(file, headers=zipped)
        sizes.append(len(answer.data) + len(str(answer.headers)))
    assert sum(sizes) <= 60_000, sizes
