"""An adult and a child who need different vaccinations come together, in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.test_booking_together import REFERENCE, go_on, tell

pytestmark = pytest.mark.browser


@pytest.fixture
def engine_name():
    """A page looks the same on each engine."""
    return "sqlite"


@pytest.mark.usefixtures("fever")
def test_a_mother_and_her_child_get_different_vaccinations_at_one_time(visit, address):
    page = visit(width=390)
    page.goto(f"{address}/book/")
    page.get_by_label("COVID-19 vaccination").check()
    page.locator("[name=town]").select_option(index=1)
    page.locator("[name=people]").select_option("2")
    page.get_by_role("button", name="Show free times").click()
    expect(
        page.get_by_role("heading", name="Which vaccination does each of you need?")
    ).to_be_visible()
    page.get_by_label("Person 2 of 2").select_option(label="Yellow fever vaccination")
    go_on(page)
    expect(page.get_by_text("Person 1 of 2")).to_be_visible()
    page.get_by_role("radio").first.check()
    go_on(page)
    expect(page.get_by_text("Yellow fever vaccination · Person 2 of 2")).to_be_visible()
    page.get_by_role("radio").first.check()
    go_on(page)
    tell(page, "Kanarova", "Kana", "1985", phone="+44 7700 900957")
    expect(page.get_by_text("Person 2 of 2")).to_be_visible()
    tell(page, "Kanarova", "Kani", "2019")
    expect(page.get_by_text("Kept for you until")).to_be_visible()

    page.go_back()  # and on again: nothing is held twice
    page.go_forward()
    page.reload()
    main = page.locator("main").inner_text()
    assert "Comirnaty" in main
    assert "Stamaril" in main
    assert len(set(re.findall(r"\d\d:\d\d", main)[:3])) <= 2
    page.get_by_role("button", name="Book", exact=True).click()
    assert len(set(re.findall(REFERENCE, page.locator("main").inner_text()))) == 2
    page.go_back()
    assert len(set(re.findall(REFERENCE, page.locator("main").inner_text()))) == 2
