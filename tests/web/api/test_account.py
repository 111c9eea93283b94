"""Tokens on one's own page, and the page about the interface."""

from __future__ import annotations

import re

import pytest

from healthcert.policy.roles import Role
from healthcert.services import api_tokens
from tests.web.api.conftest import Program


def new_token(browser, **told):
    page = browser.post("/account/tokens", {"name": "Kiosk", "days": "30", "may": "read"} | told)
    return re.search(r"hc_[\w-]{43}", page.text)


def test_staff_make_a_token_see_it_once_and_end_it(app, staff):
    nurse = staff("nurse")
    who = Program(app, new_token(nurse)[0])
    assert who.get("/clinic/day").status_code == 200
    page = nurse.get("/account").text
    assert "Kiosk" in page
    assert who.token not in page
    key = api_tokens.hash_of(who.token).hex()
    assert key in page
    nurse.post("/account", {"visit": key})
    assert who.get("/clinic/day").status_code == 401


@pytest.mark.parametrize("wrong", [{"name": ""}, {"days": "9999"}, {"may": "rule"}])
def test_a_token_that_cannot_be_is_not_made(staff, wrong):
    assert new_token(staff("nurse"), **wrong) is None


def test_a_token_is_made_only_by_who_proved_lately_who_they_are(staff, clock):
    nurse = staff("nurse")
    clock.pass_by(minutes=6)
    assert nurse.get("/account/tokens").location.startswith("/sign-in/again")


def test_signing_out_everywhere_ends_tokens_too(app, staff):
    nurse = staff("nurse")
    who = Program(app, new_token(nurse)[0])
    nurse.post("/account", {"everywhere": "yes"})
    assert who.get("/clinic/day").status_code == 401


def test_the_page_shows_every_deed_with_who_may(browser):
    page = browser.get("/api/").text
    assert "POST /api/v1/parties" in page
    assert f"{Role.NURSE}, {Role.LEAD}" in page
    assert "https://" not in page.partition("<main")[2]


@pytest.mark.parametrize("lang", ["en", "fr", "ar"])
def test_the_page_speaks_the_readers_language(browser, lang):
    answer = browser.get(f"/api/?lang={lang}")
    assert answer.status_code == 200
    assert f'<html lang="{lang}"' in answer.text
