"""A draw from its announcement at a page to its check by anybody, from its files alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from click.testing import CliRunner
from playwright.sync_api import expect
from sqlalchemy import select

from healthcert.cli import main
from healthcert.jobs import draws as job
from healthcert.models import WaitEntry
from tests.certificates import NOW
from tests.web.conftest import ALIA, Browser
from tests.web.test_waiting import NEAR

ON = "sqlite"  # a page looks the same on each engine

pytestmark = [pytest.mark.browser, pytest.mark.walk]


def sign_in(page, address):
    page.goto(f"{address}/dev/sign-in")
    page.get_by_role("button", name="Sign in as Adam Admin").click()


def test_lots_are_drawn_and_anybody_computes_them_again(
    app, parts, clinic, clock, visit, address, tmp_path
):
    page = visit()
    sign_in(page, address)
    page.goto(f"{address}/admin/draws")
    page.get_by_role("button", name="Continue").click()
    page.locator("[name=places]").fill("2")
    page.locator("[name=closes]").fill("2026-03-03T12:00")
    page.locator("[name=source]").fill("the lottery of 4 March")
    page.get_by_label("Everybody").fill("50")
    page.get_by_role("button", name="Show the rules").click()
    expect(page.get_by_text("Everybody: 50 percent")).to_be_visible()
    page.get_by_role("button", name="Announce this draw").click()
    expect(page.get_by_text("The draw is announced.")).to_be_visible()
    draw, commitment = page.url.partition("?")[0], re.search(r"\b[0-9a-f]{64}\b", page.content())[0]

    form = ALIA | NEAR | {"programme": str(clinic.programme_id)}
    for number in range(5):
        who = {"identity_value": f"KANARI {number}", "family_latin": f"Kanar{'abcde'[number]}"}
        assert Browser(app).post("/book/waiting", form | who).status_code == 303
    with parts.doors.reading() as db:
        token = db.scalars(select(WaitEntry.token)).first().hex()

    clock.now = NOW + timedelta(days=2)
    job.keep(parts, clock.now)
    sign_in(page, address)
    page.goto(draw)
    for name in ("public_value", "again"):
        page.locator(f"[name={name}]").fill("7 12 19")
    page.get_by_role("button", name="Show the seed and draw").click()
    expect(page.get_by_text("The ranks are written by themselves.")).to_be_visible()
    job.keep(parts, clock.now)

    anybody = visit(width=390)
    anybody.goto(f"{address}/draws")
    expect(anybody.get_by_text("Drawn and published")).to_be_visible()
    for name in ("manifest.json", "list.txt", "ranks.txt"):
        with anybody.expect_download() as loaded:
            anybody.get_by_role("link", name=name).click()
        loaded.value.save_as(tmp_path / "downloaded" / name)
    asked = ["draw", "verify", str(tmp_path / "downloaded"), "--commitment", commitment]
    said = CliRunner().invoke(main, [*asked, "--token", token])
    assert said.exit_code == 0, said.output
    assert re.fullmatch(r"5 ranks are as the rules make them\nrank [1-5] is yours\n", said.output)
