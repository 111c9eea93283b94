"""A lot is recalled and a day is closed, in a browser, while the worker does its part."""

from __future__ import annotations

import re
import time

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demonstration")]
PATIENCE = 60  # seconds for the worker


def signed_in(visit, base, role):
    page = visit()
    page.goto(f"{base}/dev/sign-in")
    page.get_by_role("button", name=re.compile(role)).first.click()
    return page


def wait_for(page, found):
    """Load a page until something stands on it, as a person would."""
    until = time.monotonic() + PATIENCE
    while not found(page.locator("main").inner_text()):
        assert time.monotonic() < until, page.locator("main").inner_text()
        time.sleep(1)
        page.reload()


def test_a_lot_is_recalled_in_one_act(demonstration, visit):
    page = signed_in(visit, demonstration.address, "Administrator|admin|Admin")
    page.goto(f"{demonstration.address}/admin/lots")
    page.get_by_role("link", name="Recall lot JC1307").click()
    page.get_by_text("A recall is for good").wait_for()
    reached = int(re.search(r"\d+", page.locator(".hc-figures dd").first.inner_text())[0])
    assert reached > 0
    page.get_by_label("Why is it recalled?").select_option("regulator")
    page.get_by_role("button", name="Recall this lot").click()
    page.get_by_text("The lot is recalled").wait_for()
    wait_for(page, lambda text: re.search(r"Doses still to be judged\s*0", text))
    outbox = visit()
    outbox.goto(f"{demonstration.address}/dev/outbox")
    assert "recalled" in outbox.locator("main").inner_text()


def test_a_day_is_closed_and_everybody_is_booked_anew(demonstration, visit):
    page = signed_in(visit, demonstration.address, "Head of the site|Lead|lead")
    page.goto(f"{demonstration.address}/admin/sessions")
    page.get_by_text("Close a site for a day").click()
    day = page.evaluate("new Date(Date.now() + 5 * 864e5).toISOString().slice(0, 10)")
    page.get_by_label("Day", exact=True).fill(day)
    page.get_by_role("button", name="Show who is booked").click()
    words = page.locator("main").inner_text()
    assert int(re.search(r"(\d+) pe(?:ople|rson)", words)[1]) > 0
    page.get_by_role("button", name="Close the site on this day").click()
    wait_for(page, lambda text: "Cancelled" in text)
    outbox = visit()
    outbox.goto(f"{demonstration.address}/dev/outbox")
    wait_for(outbox, lambda text: "as planned" in text or "comme prévu" in text
             or "كما كان مقررًا" in text)  # fmt: skip
    page.goto(f"{demonstration.address}/admin/sessions")
    page.get_by_text("or open it again").click()
    page.get_by_label("Day", exact=True).fill(day)
    page.get_by_role("button", name="Show who is booked").click()
    page.get_by_role("button", name="Open the site on this day").click()
    first = page.locator("tbody tr").filter(has_text="Open").first
    assert str(int(day[-2:])) in first.inner_text().split("\t")[0]
