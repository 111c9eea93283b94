"""On an opening day booking goes through a waiting room; on every other day there is none."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy.exc import TimeoutError as NoConnection

from healthcert.app import create_app
from healthcert.data.limits import limits
from healthcert.errors import BadSettings
from healthcert.gateways import room_files
from healthcert.jobs import room as job
from healthcert.models import LimitCounter, Slot
from healthcert.policy import admission
from healthcert.pool import InTurn
from healthcert.services.limits import key_of, network_of
from tests.certificates import NOW
from tests.web.api.conftest import Program, token_of
from tests.web.api.test_parties import DETAILS, wish
from tests.web.conftest import ALIA, Browser, tell
from tests.web.opening_day import OPENS

BOOK = ("/book/", "/book/slots", "/book/details", "/book/check", "/book/done")


def ticket_of(app, identity="KANARI 123456"):
    """Return a browser with a ticket, and the address of its page."""
    browser = Browser(app)
    answer = browser.client.post("/room", data={"identity": identity})
    assert answer.status_code == 303
    assert browser.get(answer.location).status_code == 200
    return browser, answer.location


@pytest.mark.usefixtures("clinic")
def test_without_an_opening_nobody_meets_a_room(browser):
    assert browser.get("/book/").status_code == 200
    for path in ("/room", "/room/line.json", "/room?ticket=AAAA"):
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
def test_the_room_opens_no_session_and_asks_no_database(app, parts, steps):
    steps(5)
    browser, address = ticket_of(app)
    parts.doors.engine.dispose()
    for path in (address, "/room/line.json", "/availability.json"):
        answer = browser.get(path)
        assert answer.status_code == 200
        cookies = answer.headers.getlist("Set-Cookie")
        assert all(cookie.startswith("healthcert_ticket=") for cookie in cookies)
    assert not parts.doors.engine.pool.checkedin()


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.usefixtures("opening")
def test_from_the_ticket_to_the_booking(app, clinic, parts, steps, language):
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
    told = room_files.held(parts.settings.room_dir / "line.json")
    assert told["seed"] in page.replace(" ", "")
    asked = f"?slot={clinic.slots[0]}&dose=1&second=later"
    tell(browser, asked, ALIA)
    assert browser.post(f"/book/check{asked}").location == "/book/done"


@pytest.mark.usefixtures("opening")
def test_a_ticket_is_good_for_one_identity(app, clinic, parts, steps):
    browser, _address = ticket_of(app, "SOMEBODY ELSE 1")
    steps(620)
    asked = f"?slot={clinic.slots[0]}&dose=1&second=later"
    answer = tell(browser, asked, ALIA)
    assert answer.status_code == 403
    assert "This ticket is for somebody else" in answer.text
    for way_on in ("Change who it is", "Get a ticket in the waiting room"):
        assert way_on in answer.text
    assert "Get a ticket" in browser.get("/room?ticket=").text
    with parts.doors.reading() as db:
        assert db.get_one(Slot, clinic.slots[0]).booked == 0, "places are held for another"


@pytest.mark.usefixtures("opening")
def test_who_was_let_in_books_though_their_carrier_has_used_its_bookings_up(
    app, clinic, parts, steps
):
    browser, _address = ticket_of(app)
    steps(620)
    key = key_of(parts.pepper, f"book network {network_of('127.0.0.1')}")
    used = {"name": "book.network", "key": key, "count": limits()["book"]["network"].most}
    with parts.doors.transaction() as db:
        db.add(LimitCounter(**used, ends_at=OPENS + timedelta(hours=1)))
    asked = f"?slot={clinic.slots[0]}&dose=1&second=later"
    tell(browser, asked, ALIA)
    assert browser.post(f"/book/check{asked}").location == "/book/done"


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
    assert sorted(len(re.findall(r"about: <bdi[^>]*>0<", page)) for page in waiting) == [0, 0, 1]
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
    for path in ("/room", "/room?ticket=AAAA-BBBB"):
        answer = browser.get(path)
        assert 'data-room="new"' in answer.text
        assert "Set-Cookie" not in answer.headers
    assert browser.client.post("/room", data={"identity": " "}).status_code == 400


@pytest.mark.usefixtures("opening")
def test_the_line_is_a_file_that_may_be_kept_a_quarter_of_a_minute(browser, steps):
    steps(5)
    answer = browser.get("/room/line.json")
    assert "max-age=15" in answer.headers["Cache-Control"]
    told = answer.get_json()
    assert told["seed"] is None
    again = browser.get("/room/line.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    steps(620)
    seed = bytes.fromhex(browser.get("/room/line.json").get_json()["seed"])
    assert sha256(seed).hexdigest() == told["commitment"]


@pytest.mark.usefixtures("opening")
def test_when_the_opening_is_taken_away_nothing_is_left_of_who_asked(app, parts, clock):
    ticket_of(app)
    job.keep(parts, clock.now, probe=lambda _settings: 0.0)
    folder = parts.settings.room_dir
    assert list(folder.glob("spring.*"))
    (parts.settings.data_dir / "opening.toml").unlink()
    job.keep(parts, clock.now)
    assert {path.name for path in folder.iterdir()} == {"availability.json", "looked"}
    assert Browser(app).get("/book/").status_code == 200


@pytest.mark.usefixtures("opening")
def test_an_opening_that_cannot_be_read_is_refused_by_name(parts):
    (parts.settings.data_dir / "opening.toml").write_text('code = "x"\nopen_at = 3', "utf-8")
    with pytest.raises(BadSettings, match=r"opening.toml: .*open_at"):
        job.keep(parts, NOW)


@pytest.mark.usefixtures("clinic")
def test_where_places_are_left_is_told_in_steps_and_to_everybody(browser, parts, steps):
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
    assert set(answer.get_json()) == {"programmes", "places"}


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


@pytest.mark.usefixtures("opening")
def test_a_program_books_with_its_ticket_when_its_turn_has_come_and_for_nobody_else(
    app, clinic, steps
):
    steps(5)
    number = DETAILS["identity"]["value"]
    ticket = app.test_client().post("/room", data={"identity": number}).location.split("=")[1]
    who, asked = Program(app), {"wishes": [wish(clinic)]}
    answer = who.post("/parties", asked, Ticket=ticket)
    assert answer.json["code"] == "must_wait"
    told = app.test_client().get("/api/openapi.json").json["paths"]["/api/v1/parties"]["post"]
    assert "`must_wait`" in told["responses"][str(answer.status_code)]["description"]
    assert "Ticket" in {each["name"] for each in told["parameters"]}
    steps(660)
    assert who.post("/parties", asked).json["code"] == "must_wait"
    other = {"identity": {"kind": "passport", "country": "XX", "value": "KANARI 78"}}
    stranger = {"wishes": [wish(clinic, 1, mail="kanari4@example.org", **other)]}
    assert who.post("/parties", stranger, Ticket=ticket).json["code"] == "anothers_ticket"
    held = who.post("/parties", asked, Ticket=ticket)
    assert held.status_code == 201, held.text
    path = f"/parties/{held.json['id']}/confirm"
    assert who.post(path, {"key": held.json["key"]}, Ticket=ticket).status_code == 200


@pytest.mark.usefixtures("opening")
def test_a_desks_program_waits_in_no_room(app, parts, clinic, steps):
    steps(660)
    clerk = Program(app, token_of(parts, "clerk", clinic.staff["clerk"]))
    asked = {"programme_id": str(clinic.programme_id), "source": "phone"}
    assert clerk.post("/clinic/slots/search", asked).status_code == 200


@pytest.mark.usefixtures("clinic")
def test_where_every_connection_is_in_use_for_too_long_people_are_told_the_same(
    app, parts, steps, monkeypatch
):
    steps(5)
    engine, held = parts.doors.engine, []
    monkeypatch.setattr(engine.pool, "_timeout", 0.05)
    if isinstance(engine.pool, InTurn):
        monkeypatch.setattr(engine.pool.turns, "_patience", 0.05)
    with suppress(NoConnection):
        while True:
            held.append(engine.connect())
    answer = Browser(app).get("/book/slots?programme=x&dose=1&town=jabal")
    for each in held:
        each.close()
    assert answer.status_code == 503
    assert "a few" in answer.text
