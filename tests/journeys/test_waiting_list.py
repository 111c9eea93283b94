"""A place that is given back reaches who has waited for it, in a browser from joining to booked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from healthcert.jobs import places
from healthcert.models import Slot
from tests.certificates import NOW
from tests.web.conftest import Browser, enter

ON = "sqlite"  # a page looks the same on each engine

pytestmark = [pytest.mark.browser, pytest.mark.walk]


def test_a_place_given_back_is_offered_and_taken(
    app, parts, clinic, book, newest_message, visit, address
):
    with parts.doors.transaction() as db:
        last = update(Slot).where(Slot.id == clinic.slots[2])
        later = {"starts_at": NOW + timedelta(hours=8), "ends_at": NOW + timedelta(hours=9)}
        db.execute(last.values(capacity=1, **later))
    _visitor, number = book(slot=2)

    page = visit(width=390)
    page.goto(f"{address}/book/waiting")
    page.locator("[name=programme]").first.check()
    page.locator("[name=town]").select_option(index=1)
    page.locator("[name=within]").select_option("any")
    for field, words in (("family", "Kanarisson"), ("given", "Kanar"), ("phone", "+447700900555"),
                         ("identity_value", "KANARI77")):  # fmt: skip
        page.locator(f"[name={field}]").fill(words)
    page.locator("[name=identity_kind]").select_option("passport")
    born = page.locator("[name=birth_date]").all()
    for field, part in zip(born, ("4", "5", "1970"), strict=True):
        field.fill(part)
    page.get_by_role("button", name="Join the waiting list").click()
    expect(page.get_by_role("heading", name="You are on the waiting list")).to_be_visible()

    holder = enter(Browser(app), number, newest_message)
    cancel = re.search(r"/my/appointments/[0-9a-f-]+/cancel", holder.get("/my/").text)[0]
    assert holder.post(cancel, page="/my/").status_code == 303
    assert places.offer(parts, NOW) == 1
    assert "/my/waiting" in newest_message("offer")

    page.get_by_role("link", name="See your waiting list").click()
    page.locator("[name=kind][value=passport]").check()
    page.locator("[name=reference]").fill("KANARI77")
    for field, part in zip(
        page.locator("[name=birth_date]").all(), ("4", "5", "1970"), strict=True
    ):
        field.fill(part)
    page.get_by_role("button", name="Send me a code").click()
    page.locator("[name=code]").fill(re.search(r"\d{6}", newest_message("code"))[0])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="A place is free for you")).to_be_visible()
    page.get_by_role("button", name="Take this place").click()
    assert re.search(r"HC-[0-9A-Z]{4}-[0-9A-Z]{4}", page.locator("main").inner_text())
