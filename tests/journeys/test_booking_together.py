"""Booking as people do it: a family with both doses, a new time, the desk, and keys alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import code_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demonstration")]

FAMILY = [("Kanaridge", "Kana", "1985"), ("Kanaridge", "Kano", "1983"),
          ("Kanaridge", "Kani", "2010"), ("Kanaridge", "Kanu", "1952")]  # fmt: skip
REFERENCE = r"HC-[0-9A-Z]{4}-[0-9A-Z]{4}"


def go_on(page):
    page.get_by_role("button", name="Continue").click()


def tell(page, family, given, year, phone=""):
    page.locator("[name=family]").fill(family)
    page.locator("[name=given]").fill(given)
    go_on(page)
    for field, value in zip(
        page.locator("[name=birth_date]").all(), ("27", "3", year), strict=True
    ):
        field.fill(value)
    go_on(page)
    go_on(page)  # no document
    if phone:
        page.locator("[name=phone]").fill(phone)
    go_on(page)


def search(page, demonstration, people=1):
    page.goto(f"{demonstration.address}/book/")
    page.locator("[name=town]").select_option(index=1)
    page.locator("[name=people]").select_option(str(people))
    page.get_by_role("button", name="Show free times").click()


def test_a_family_of_four_books_both_doses_on_a_phone(demonstration, visit):
    page = visit(width=390)
    search(page, demonstration, people=4)
    expect(page.get_by_role("heading", name="Which dose does each of you need?")).to_be_visible()
    go_on(page)  # the first for everybody
    page.get_by_role("radio").first.check()
    go_on(page)
    expect(page.get_by_role("heading", name="Second dose: when do you want it?")).to_be_visible()
    go_on(page)  # as it is proposed
    for number, (family, given, year) in enumerate(FAMILY, 1):
        expect(page.get_by_text(f"Person {number} of 4")).to_be_visible()
        tell(page, family, given, year, phone="+44 7700 900955" if number == 1 else "")
    expect(page.get_by_text("Kept for you until")).to_be_visible()

    page.locator("a", has_text="Change").filter(has_text="Date of birth").nth(2).click()
    page.locator("[name=birth_date]").nth(2).fill("2009")
    go_on(page)
    expect(page.get_by_text("27 March 2009")).to_be_visible()
    page.get_by_role("button", name="Book", exact=True).click()
    assert len(set(re.findall(REFERENCE, page.locator("main").inner_text()))) == 8
    with page.expect_download() as file:
        page.get_by_role("link", name="Put it into your calendar").click()
    assert file.value.suggested_filename == "appointment.ics"


def test_a_second_dose_is_moved_by_its_reference(demonstration, visit):
    page = visit(width=390)
    search(page, demonstration)
    page.get_by_role("radio").nth(1).check()
    go_on(page)
    page.get_by_label("Later, not now").check()
    go_on(page)
    tell(page, "Kanarsson", "Kan", "1961", phone="+44 7700 900956")
    page.get_by_role("button", name="Book", exact=True).click()
    number = re.search(REFERENCE, page.locator("main").inner_text())[0]

    page.goto(f"{demonstration.address}/my/sign-in")
    page.get_by_label("Reference or number").fill(number)
    for field, value in zip(
        page.locator("[name=birth_date]").all(), ("27", "3", "1961"), strict=True
    ):
        field.fill(value)
    page.get_by_role("button", name="Send me a code").click()
    outbox = visit()
    outbox.goto(f"{demonstration.address}/dev/outbox")
    cards = outbox.locator(".hc-card").all_inner_texts()
    page.locator("[name=code]").fill(
        next(code_in(one) for one in cards if re.search(r"\b\d{6}\b", one))
    )
    go_on(page)
    page.get_by_role("link", name="Move it").click()
    page.get_by_role("radio").last.check()
    go_on(page)
    expect(page.get_by_role("heading", name="Check the new time")).to_be_visible()
    page.get_by_role("button", name="Move to the new time").click()
    expect(page.get_by_text("The appointment is moved.")).to_be_visible()
    assert number not in page.locator(".hc-card", has_text="Booked").inner_text()


def test_a_walk_in_is_booked_at_the_desk_and_has_arrived(demonstration, visit):
    page = visit()
    page.goto(f"{demonstration.address}/dev/sign-in")
    page.get_by_role("button", name=re.compile("Sign in as .*Nurse")).first.click()
    page.get_by_role("link", name="Book", exact=True).click()
    page.get_by_label("They stand here").check()
    page.get_by_role("button", name="Show free times").click()
    if not page.get_by_role("radio").count():
        pytest.skip("the day of the demonstration is over")
    page.get_by_role("radio").first.check()
    go_on(page)
    if page.get_by_label("Later, not now").count():
        page.get_by_label("Later, not now").check()
        go_on(page)
    page.get_by_label("Name, as far as it is known").fill("Kanarwalk Kane")
    page.locator("[name=born]").nth(2).fill("1971")
    page.get_by_role("button", name="Find").click()
    page.get_by_label("Somebody who is not on record").check()
    go_on(page)
    tell(page, "Kanarwalk", "Kane", "1971")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_text("Print this page and give it to them.")).to_be_visible()
    page.get_by_role("link", name="Open this appointment").first.click()
    expect(page.locator(".govuk-tag", has_text="Arrived")).to_be_visible()


def test_one_books_with_the_keys_alone(demonstration, visit):
    page = visit()
    page.goto(f"{demonstration.address}/book/")

    def to(selector):
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(selector)

    def submit():
        to("main button[type=submit]")
        with page.expect_navigation():
            page.keyboard.press("Enter")

    to("[name=town]")
    page.keyboard.press("ArrowDown")
    submit()
    to("[name=slot]")
    page.keyboard.press("Space")
    submit()
    submit()  # the second dose as proposed
    to("[name=family]")
    page.keyboard.type("Kanarkey")
    submit()
    to("#birth_date-year")
    page.keyboard.type("1974")
    submit()
    submit()
    submit()
    expect(page.get_by_text("Kanarkey").first).to_be_visible()
    submit()
    assert re.search(REFERENCE, page.locator("main").inner_text())
