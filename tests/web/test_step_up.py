"""A grave deed needs a proof of who it is from the last five minutes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from healthcert.models import new_id
from healthcert.policy.roles import Role
from healthcert.web import guards
from healthcert.web.errors import init_errors
from tests.certificates import NOW


def test_a_citizen_erases_within_five_minutes_of_signing_in(holder, clock):
    browser = holder()
    clock.pass_by(minutes=5)
    assert browser.get("/my/erase").status_code == 200
    clock.pass_by(seconds=1)
    assert (
        browser.client.post("/my/erase/confirm", headers={"Referer": "http://["}).status_code == 303
    )
    for method, back in (("get", "/my/erase/confirm?x=1"), ("post", "/my/erase/confirm")):
        answer = getattr(browser.client, method)(
            back, headers={"Referer": "http://localhost/my/erase/confirm?y=2"}
        )
        assert answer.status_code == 303
        assert answer.location.startswith("/my/sign-in?next=%2Fmy%2Ferase%2Fconfirm")
    assert browser.get("/my/").status_code == 200


@pytest.fixture
def door(monkeypatch):
    """Return a door for staff and one for programs, and how to be somebody at them."""
    app, asks = Flask("grave"), {}
    app.testing, app.extensions["clock"] = True, lambda: NOW
    app.add_url_rule("/admin/grave", "grave", lambda: "done")
    app.add_url_rule("/api/grave", "api_grave", lambda: "done")
    monkeypatch.setattr(guards, "ACTS", {"grave": "end_work", "api_grave": "end_work"})
    init_errors(app)
    guards.init_guards(app, lambda: asks["who"], lambda: asks["who"])
    nobody_yet = guards.Visitor(Role.ADMIN, new_id(), "Adam Admin")

    def asked(path, proved_at):
        asks["who"] = replace(nobody_yet, proved_at=proved_at)
        return app.test_client().get(path)

    return asked


@pytest.mark.parametrize("proved_at", [None, NOW.replace(hour=NOW.hour - 1)])
def test_staff_are_led_to_prove_again_and_back(door, proved_at):
    answer = door("/admin/grave?a=b", proved_at)
    assert answer.status_code == 303
    assert answer.location == "/sign-in/again?next=%2Fadmin%2Fgrave%3Fa%3Db"


def test_whoever_has_just_proved_who_they_are_passes(door):
    assert door("/admin/grave", NOW).text == "done"


def test_a_program_is_told_by_code(door):
    answer = door("/api/grave", None)
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert answer.json["code"] == "prove_again"
