"""A mother and her child who need different vaccinations, or doses, come in one go."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.test_booking_together import REFERENCE, go_on, tell

ON = "sqlite"  # a page looks the same on each engine

pytestmark = [pytest.mark.browser, pytest.mark.walk]


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
    child = page.get_by_role("group", name="Person 2 of 2")
    child.get_by_label("Vaccination").select_option(label="Yellow fever vaccination")
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


@pytest.mark.usefixtures("later")
def test_a_mother_gets_her_second_dose_while_her_child_gets_the_first_of_two(
    clinic, visit, address
):
    page = visit(width=390)
    page.goto(f"{address}/book/?programme={clinic.programme_id}")
    page.locator("[name=town]").select_option(index=1)
    page.locator("[name=people]").select_option("2")
    page.get_by_role("button", name="Show free times").click()
    expect(page.get_by_role("heading", name="Which dose does each of you need?")).to_be_visible()
    page.get_by_label("Person 1 of 2").select_option(label="Second dose")
    go_on(page)
    expect(page.get_by_text("Second dose · COVID-19 vaccination · Person 1 of 2")).to_be_visible()
    page.get_by_role("link", name="Back").click()  # what each of them needs stays
    expect(page.get_by_label("Person 1 of 2")).to_have_value("2")
    go_on(page)
    page.get_by_role("radio").first.check()
    go_on(page)
    expect(page.get_by_text("First dose · COVID-19 vaccination · Person 2 of 2")).to_be_visible()
    page.get_by_role("radio").first.check()
    go_on(page)
    expect(page.get_by_role("heading", name="Second dose: when do you want it?")).to_be_visible()
    go_on(page)  # as it is proposed, for the child alone
    tell(page, "Kanarova", "Kana", "1985", phone="+44 7700 900958")
    expect(page.get_by_text("Person 2 of 2")).to_be_visible()
    tell(page, "Kanarova", "Kanu", "2010")
    expect(page.get_by_text("Kept for you until")).to_be_visible()
    page.get_by_role("button", name="Book", exact=True).click()
    cards = page.locator(".govuk-summary-card").all_inner_texts()
    assert len({re.search(REFERENCE, card)[0] for card in cards}) == 3
    assert ["Second dose" in card for card in cards] == [True, False, True]
    assert ["Kana " in card for card in cards] == [True, False, False]
