"""Sign-in by the national eID, with a provider on this machine."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import oidc_provider_mock
import pytest
import requests
from oidc_provider_mock import User
from sqlalchemy import select

from healthcert.config import Oidc
from healthcert.models import Identity
from tests.web.conftest import Browser, enter

ON = "sqlite"  # what the database holds is tried on each engine in tests/models

HIGH = "http://eidas.europa.eu/LoA/high"
BORN = {"birthdate": "1985-03-27", "acr": HIGH}
MINE = BORN | {"national_number": "kanari-9"}
PEOPLE = {
    "mine": MINE,
    "stranger": BORN,
    "wrong_birth": MINE | {"birthdate": "1985-03-28"},
    "low": MINE | {"acr": "http://eidas.europa.eu/LoA/low"},
    "unsure": {name: MINE[name] for name in ("birthdate", "national_number")},
    "another": MINE | {"acr": "substantial"},
}


@pytest.fixture(scope="module")
def issuer():
    users = [User(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def published(published, issuer, tmp_path):
    """The settings, with a provider for citizens."""
    secret = tmp_path / "oidc-secret"
    secret.write_text("s3cret")
    return published.at(citizen_oidc=Oidc(issuer, "healthcert", secret))


@pytest.fixture
def number(book, clock):
    """Return the reference of somebody with a national number, in the provider's own time."""
    _visitor, found = book(identity_kind="national", identity_value="Kanari 9")
    clock.now = datetime.now(UTC)  # noqa: TID251 - the provider has a clock of its own
    return found


def come_back(browser, sub):
    """Go to the provider, sign in there, and return what the way back answers."""
    there = browser.get("/my/sign-in/national").location
    back = requests.post(there, data={"sub": sub}, allow_redirects=False, timeout=5)
    place = urlsplit(back.headers["Location"])
    return browser.get(f"{place.path}?{place.query}")


def levels(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Identity.level).filter_by(kind="subject")).all()


def test_number_and_birth_date_link_the_eid_once_and_it_is_enough_from_then_on(app, number, parts):
    assert number
    browser = Browser(app)
    assert "Sign in with the national eID" in browser.get("/my/sign-in").text
    assert come_back(browser, "mine").location == "/my/"
    assert "كنارية" in browser.get("/my/").text
    again = Browser(app)
    assert come_back(again, "mine").location == "/my/"
    assert levels(parts) == ["high"]
    assert come_back(Browser(app), "another").status_code == 403  # the record has its eID
    assert levels(parts) == ["high"]


def test_an_eid_that_names_nobody_is_linked_by_a_code(app, number, parts, newest_message):
    browser = Browser(app)
    for sub in ("wrong_birth", "stranger"):
        page = come_back(browser, sub)
        assert page.status_code == 200
        assert "One more step, once" in page.text
        assert browser.get("/my/").status_code == 303
    known = {"reference": number, "birth_date": ["27", "3", "1985"]}
    browser.post("/my/sign-in", known)
    code = re.search(r"\d{6}", newest_message("code"))[0]
    assert "let me in by the eID" in browser.get("/my/code").text
    assert browser.post("/my/code", {"code": code, "eid": "y"}).status_code == 303
    assert levels(parts) == ["high"]
    assert come_back(Browser(app), "stranger").location == "/my/"


def test_an_eid_left_by_who_sat_there_before_is_not_linked(app, number, parts, newest_message):
    browser = Browser(app)
    come_back(browser, "stranger")
    enter(browser, number, newest_message)
    assert levels(parts) == []


def test_who_the_provider_is_not_sure_of_is_not_let_in(app, number, parts):
    assert number
    for sub in ("low", "unsure"):
        assert come_back(Browser(app), sub).status_code == 403
    assert levels(parts) == []


def test_an_answer_nobody_asked_for_leads_back_to_the_sign_in(app, number):
    assert number
    browser = Browser(app)
    assert browser.get("/my/sign-in/back?code=1&state=2").location == "/my/sign-in"
    browser.get("/my/sign-in/national")
    assert browser.get("/my/sign-in/back?code=1&state=2").status_code == 403


def test_without_a_provider_there_is_no_button_and_no_door(app, issuer):
    assert re.match("http://localhost", issuer)
    settings = app.extensions["healthcert"].settings
    object.__setattr__(settings, "citizen_oidc", None)
    browser = Browser(app)
    assert "national eID" not in browser.get("/my/sign-in").text
    assert browser.get("/my/sign-in/national").status_code == 404
