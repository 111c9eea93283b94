"""Sessions live on the server, are read late, and end when they should."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, event, func, select

from healthcert.app import create_app
from healthcert.models import Visit
from healthcert.services import retention
from tests.web.conftest import Browser

COOKIE = "healthcert_session"


def cookie(browser, name=COOKIE):
    return browser.client.get_cookie(name)


@pytest.fixture
def statements(parts):
    """Return the list of statements sent to the database since the test began."""
    sent = []
    event.listen(parts.doors.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    return sent


@pytest.mark.parametrize("path", ["/", "/verify", "/livez", "/nowhere", "/bundle"])
def test_a_page_that_needs_no_session_asks_the_database_nothing(browser, statements, path):
    browser.client.set_cookie(COOKIE, "something")
    answer = browser.get(path)
    assert answer.status_code < 500
    assert statements == []
    assert "Set-Cookie" not in answer.headers


def test_only_the_hash_of_the_token_is_stored_and_what_it_holds_is_sealed(holder, parts):
    token = cookie(holder()).value
    assert len(token) >= 43
    with parts.doors.reading() as db:
        rows = db.execute(select(Visit.token_hash, Visit.sealed)).all()
    stored = b"".join(part for row in rows for part in row)
    assert token.encode() not in stored
    assert b"person" not in stored


def test_the_cookie_is_kept_from_scripts_and_other_sites(browser):
    answer = browser.get("/my/sign-in")
    (given,) = answer.headers.getlist("Set-Cookie")
    assert given.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(given.split("; "))
    assert "Secure" not in given


def test_under_https_the_cookie_is_bound_to_the_host(published, database_url, clock):
    secure = published.at(database_url=database_url, base_url="https://vaccination.example")
    app = create_app(secure, clock=clock, floor=clock)
    answer = app.test_client().get("/my/sign-in", base_url="https://vaccination.example")
    (given,) = answer.headers.getlist("Set-Cookie")
    assert given.startswith("__Host-healthcert=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(given.split("; "))
    assert "Domain" not in given
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    app.extensions["healthcert"].close()


def test_signing_in_changes_the_token_and_the_old_one_opens_nothing(app, clinic):
    browser = Browser(app)
    browser.get("/dev/sign-in")
    before = cookie(browser).value
    browser.sign_in(clinic.staff["nurse"])
    assert cookie(browser).value != before
    browser.client.set_cookie(COOKIE, before)
    assert browser.get("/clinic/").status_code == 303


def test_a_token_chosen_by_a_stranger_is_never_taken_over(app, clinic):
    browser = Browser(app)
    browser.client.set_cookie(COOKIE, "chosen-by-a-stranger")
    browser.sign_in(clinic.staff["nurse"])
    assert cookie(browser).value != "chosen-by-a-stranger"


def test_half_an_hour_without_a_visit_ends_the_session(staff, clock):
    nurse = staff("nurse")
    for _ in range(4):
        clock.pass_by(minutes=29)
        assert nurse.get("/clinic/").status_code == 200
    clock.pass_by(minutes=31)
    assert nurse.get("/clinic/").status_code == 303


def test_twelve_hours_end_it_however_busy(staff, clock):
    nurse = staff("nurse")
    for _ in range(29):
        clock.pass_by(minutes=25)
        answer = nurse.get("/clinic/")
    assert answer.status_code == 303


def test_a_session_can_be_ended_from_the_server(staff, parts):
    nurse = staff("nurse")
    with parts.doors.transaction() as db:
        db.execute(delete(Visit))
    assert nurse.get("/clinic/").status_code == 303


def test_sessions_that_are_over_are_swept(staff, parts, clock):
    staff("nurse")
    clock.pass_by(hours=12)
    with parts.doors.transaction() as db:
        assert retention.apply(db, "visit", now=clock.now) >= 1
        assert db.scalar(select(func.count()).select_from(Visit)) == 0


def test_a_sealed_session_moved_to_another_token_does_not_open(app, staff, parts):
    nurse = staff("nurse")
    stranger = Browser(app)
    stranger.get("/my/sign-in")
    with parts.doors.transaction() as db:
        rows = db.scalars(select(Visit).order_by(Visit.started_at)).all()
        sealed = {row.token_hash: row.sealed for row in rows}
        for row in rows:
            others = [value for key, value in sealed.items() if key != row.token_hash]
            row.sealed = others[0]
    assert nurse.get("/clinic/").status_code == 503
    assert "Clinic" not in stranger.get("/my/sign-in").text


def test_pages_with_a_session_are_never_kept_by_caches(holder):
    answer = holder().get("/my/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]


def test_reading_often_writes_rarely(staff, statements):
    nurse = staff("nurse")
    nurse.get("/clinic/")
    statements.clear()
    nurse.get("/clinic/")
    assert [
        sql for sql in statements if sql.lstrip().upper().startswith(("UPDATE", "INSERT"))
    ] == []


def test_lists_stay_within_five_questions_to_the_database(book, staff, holder, statements, clinic):
    for number in range(3):
        book(identity_value=f"Q{number}", slot=number)
    nurse, citizen = staff("nurse"), holder(identity_value="Q9", slot=1)
    for browser, path in (
        (nurse, "/clinic/"),
        (citizen, "/my/"),
        (nurse, f"/book/slots?programme={clinic.programme_id}&dose=1&town=jabal&people=1"),
    ):
        statements.clear()
        assert browser.get(path).status_code == 200
        asked = [sql for sql in statements if sql.lstrip().upper().startswith("SELECT")]
        about_page = [sql for sql in asked if " visit" not in sql and " staff" not in sql]
        rings = 2 if "slots" in path else 0  # around a town, until there are enough times
        assert len(about_page) <= 5 + rings, (path, about_page)
