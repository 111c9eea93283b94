"""On an opening day booking goes through a waiting room; on every other day there is none."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from healthcert.app import create_app
from healthcert.gateways import room_files
from healthcert.gateways.room_files import Opening
from healthcert.jobs import room as job
from healthcert.models import Programme
from healthcert.policy import admission, tickets
from healthcert.services.keys import read_secret, room_key, room_seed
from tests.certificates import NOW
from tests.web.conftest import ALIA, Browser

BOOK = ("/book/", "/book/slots", "/book/details", "/book/check", "/book/done")
OPENS = NOW + timedelta(minutes=10)


@pytest.fixture
def opening(parts, clinic):
    """An opening in ten minutes, whose room is there already."""
    with parts.doors.reading() as db:
        programme = db.query(Programme).one()
    key = room_key(read_secret(parts.settings.secret_file), "spring")
    made = Opening(
        code="spring", programme=programme.code, names={"en": "Covid", "ar": "كوفيد"},
        room_at=NOW, opens_at=OPENS, ends_at=NOW + timedelta(hours=3),
        commitment=tickets.commitment(room_seed(key)),
    )  # fmt: skip
    room_files.announce(parts.settings.room_dir, made)
    return made


@pytest.fixture
def steps(parts, clock):
    """Let so many seconds pass, with the worker at work."""

    def pass_by(seconds):
        end = clock.now + timedelta(seconds=seconds)
        while clock.now < end:
            clock.pass_by(seconds=5)
            job.keep(parts, clock.now)

    return pass_by


def ticket_of(app, identity="KANARI 123456"):
    """Return a browser with a ticket, and the address of its page."""
    browser = Browser(app)
    answer = browser.client.post("/room", data={"identity": identity})
    assert answer.status_code == 303
    browser.get(answer.location)
    return browser, answer.location


def test_without_an_opening_nobody_meets_a_room(browser, clinic):
    assert browser.get("/book/").status_code == 200
    for path in ("/room", "/room/line.json", "/room/AAAA"):
        assert browser.get(path).status_code == 404
    assert "room" not in browser.get("/").text


@pytest.mark.usefixtures("opening")
def test_who_books_is_led_to_the_room_and_nobody_else_is(browser, staff, steps):
    steps(5)
    for path in BOOK:
        answer = browser.get(path)
        assert (answer.status_code, answer.location) == (303, "/room"), path
    for path in ("/", "/verify", "/my/sign-in", "/sign-in", "/bundle"):
        assert browser.get(path).status_code == 200, path
    assert staff("nurse").get("/clinic/").status_code == 200


@pytest.mark.usefixtures("opening")
def test_the_room_opens_no_session_and_asks_no_database(app, parts, clock, steps):
    steps(5)
    browser, address = ticket_of(app)
    parts.doors.engine.dispose()
    for path in (address, "/room/line.json", "/availability.json"):
        answer = browser.get(path)
        assert answer.status_code == 200
        cookies = answer.headers.getlist("Set-Cookie")
        assert all(cookie.startswith("healthcert_ticket=") for cookie in cookies)
    assert not parts.doors.engine.pool.checkedin()


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_from_the_ticket_to_the_booking(app, clinic, opening, steps, language):
    browser, address = ticket_of(app)
    speak = {"Accept-Language": language}
    steps(5)
    page = browser.get(address, headers=speak).text
    assert '<meta http-equiv="refresh"' in page
    assert 'data-room="soon"' in page
    assert browser.get("/book/").status_code == 303
    steps(610)
    page = browser.get(address, headers=speak).text
    assert 'data-room="go"' in page
    assert opening.commitment in page
    asked = f"?slot={clinic.slots[0]}&dose=1"
    assert browser.post(f"/book/details{asked}", ALIA).status_code == 303
    assert browser.post(f"/book/check{asked}").location == "/book/done"


@pytest.mark.usefixtures("opening")
def test_a_ticket_is_good_for_one_identity(app, clinic, steps):
    browser, _address = ticket_of(app, "SOMEBODY ELSE 1")
    steps(620)
    asked = f"?slot={clinic.slots[0]}&dose=1"
    assert browser.post(f"/book/details{asked}", ALIA).status_code == 303
    answer = browser.post(f"/book/check{asked}")
    assert answer.status_code == 400
    assert "what you got the ticket for" in answer.text


@pytest.mark.usefixtures("opening")
def test_a_ticket_works_on_another_device_and_is_the_same_when_asked_for_again(app, steps):
    _first, address = ticket_of(app)
    other = Browser(app)
    other.get(address)
    _third, again = ticket_of(app, "kanari-123456")
    steps(620)
    assert other.get("/book/").status_code == 200
    for one in (address, again):
        assert 'data-room="go"' in Browser(app).get(one).text


@pytest.mark.usefixtures("opening")
def test_no_more_are_let_in_than_there_are_places(app, parts, steps):
    visitors = [ticket_of(app, f"P{number}") for number in range(9)]  # six places
    steps(700)
    states = [visitor.get(address).text for visitor, address in visitors]
    assert sum('data-room="go"' in page for page in states) == 6
    waiting = [page for page in states if 'data-room="waiting"' in page]
    assert len(waiting) == 3
    assert sorted(len(re.findall(r"About <bdi[^>]*>0<", page)) for page in waiting) == [0, 0, 1]
    line = room_files.held(parts.settings.room_dir / "line.json")
    assert (line["waiting"], line["at_least"]) == (3, 1)


@pytest.mark.usefixtures("opening")
def test_who_lets_the_turn_go_by_can_wait_once_more(app, steps, parts):
    browser, address = ticket_of(app)
    steps(620)
    with parts.doors.transaction() as db:
        db.connection().exec_driver_sql("UPDATE slot SET booked = 1, capacity = 200")
    steps(admission.TURN)
    page = browser.get(address).text
    assert 'data-room="over"' in page
    assert browser.get("/book/").status_code == 303
    again, later = ticket_of(app)
    assert 'data-room="waiting"' in again.get(later).text
    steps(10)
    assert 'data-room="go"' in again.get(later).text


@pytest.mark.usefixtures("opening")
def test_a_made_up_ticket_is_worth_nothing(browser, steps):
    steps(620)
    browser.client.set_cookie("healthcert_ticket", "AAAA-BBBB")
    assert browser.get("/book/").location == "/room"
    assert browser.get("/room").location == "/room/AAAA-BBBB"
    answer = browser.get("/room/AAAA-BBBB")
    assert answer.location == "/room?new=1"
    assert browser.get(answer.location).status_code == 200
    assert browser.client.post("/room", data={"identity": " "}).status_code == 400


def test_the_line_is_a_file_that_may_be_kept_a_quarter_of_a_minute(browser, opening, steps):
    steps(5)
    answer = browser.get("/room/line.json")
    assert answer.headers["Cache-Control"] == "no-cache, max-age=15" or (
        "max-age=15" in answer.headers["Cache-Control"]
    )
    told = answer.get_json()
    assert (told["commitment"], told["seed"]) == (opening.commitment, None)
    again = browser.get("/room/line.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    steps(620)
    seed = browser.get("/room/line.json").get_json()["seed"]
    assert tickets.commitment(bytes.fromhex(seed)) == opening.commitment


def test_where_places_are_left_is_told_in_steps_and_to_everybody(browser, clinic, parts, steps):
    steps(5)
    answer = browser.get("/availability.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    (place,) = answer.get_json()["places"]
    assert place["at_least"] == 1  # of six
    with parts.doors.transaction() as db:
        db.connection().exec_driver_sql("UPDATE slot SET booked = 1")
    steps(70)
    again = browser.get("/availability.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304  # three of six are left: the same step, the same file
    assert set(json.loads(answer.data)) == {"sites", "places"}


@pytest.mark.usefixtures("clinic")
def test_while_the_database_is_down_the_search_page_shows_where_places_were_left(
    parts, steps, clock
):
    steps(5)
    away = parts.settings.at(database_url="postgresql://nobody@127.0.0.1:1/none")
    browser = Browser(create_app(away, clock=clock, floor=clock))
    answer = browser.get("/book/slots?programme=x&dose=1&town=jabal")
    assert answer.status_code == 503
    assert "Harbour" in answer.text
    assert "a few" in answer.text
    assert "Harbour" not in browser.get("/my/").text
