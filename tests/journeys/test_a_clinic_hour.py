"""An hour at a clinic in a browser, by keyboard alone, and the count in the evening."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from healthcert.models import Lot, Observation, Site, Stock
from tests import factories

ON = "sqlite"  # the queries are the same on each engine

pytestmark = [pytest.mark.browser, pytest.mark.walk]
_MOST_TABS = 90


class Keys:
    """Somebody who works a page by its keys: Tab to a thing, then Space, arrows or Enter."""

    def __init__(self, page: Page, address: str, name: str) -> None:
        """Sign in as somebody of the staff."""
        self.page, self.address = page, address
        page.goto(f"{address}/dev/sign-in")
        self.enter(page.get_by_role("button", name=re.compile(name)))

    def reach(self, thing) -> None:
        """Press Tab until the thing has the focus."""
        wanted = thing.first.element_handle()
        for _ in range(_MOST_TABS):
            if wanted.evaluate("e => e === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {thing}")

    def enter(self, thing) -> None:
        """Press Enter on a link or a button, and wait for the page it leads to."""
        self.reach(thing)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def press(self, words: str) -> None:
        self.enter(self.page.get_by_role("button", name=words, exact=True))

    def follow(self, words: str) -> None:
        self.enter(self.page.locator("main").get_by_role("link", name=words))

    def tick(self, name: str) -> None:
        self.reach(self.page.locator(f"[name={name}]"))
        self.page.keyboard.press("Space")

    def choose(self, name: str, value: str) -> None:
        """Choose one of some radios: Tab leads to the first or the chosen, arrows to the others."""
        radios = self.page.locator(f"[name={name}]")
        chosen = self.page.locator(f"[name={name}]:checked")
        self.reach(chosen if chosen.count() else radios)
        self.page.keyboard.press("Space")
        wanted = self.page.locator(f"[name={name}][value={value}]")
        for _ in range(radios.count()):
            if wanted.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no arrow leads to {value}")

    def write(self, locator, text: str) -> None:
        self.reach(locator)
        self.page.keyboard.type(text)

    def says(self, words: str) -> None:
        assert words in self.page.locator("main").inner_text()


@pytest.fixture
def stocked(parts, clinic):
    with parts.doors.transaction() as db:
        lot = db.scalars(select(Lot).filter_by(number=clinic.lot)).one()
        site = db.get_one(Site, clinic.site_id)
        factories.make_move(db, factories.make_shelf(db, site=site, lot=lot), quantity=5)


def somebody_is_vaccinated(nurse, clinic):
    """Misspelt, and found; arrived; agreed and asked on one form; the vial compared; saved."""
    nurse.write(nurse.page.locator("[name=find]"), "canaria kanarien")
    nurse.press("Find")
    nurse.follow("كنارية الكناري")
    nurse.press("Has arrived")
    nurse.enter(nurse.page.locator("main").get_by_text("Record the dose", exact=True))
    for box in ("identity", "agrees", "all_no"):
        nurse.tick(box)
    nurse.write(nurse.page.locator("[name=lot]"), clinic.lot)
    nurse.press("Save the dose")
    nurse.says("It counts as dose 1")


def and_watched_and_corrected(nurse, clinic):
    """Watched, and left early; the wrong arm was written down: corrected, with a reason."""
    dose = nurse.page.url
    nurse.follow("Who is being watched")
    nurse.press("Leaves early")
    nurse.says("Nobody is being watched")
    nurse.page.goto(dose)
    nurse.follow("Correct this entry")
    nurse.choose("reason", "other")
    nurse.choose("body_site", "RA")
    nurse.write(nurse.page.locator("[name=lot]"), clinic.lot)
    nurse.press("Save the right entry")
    nurse.says("Right arm")


def and_has_a_fever(nurse, clock):
    """A reaction that is not serious is reported."""
    nurse.follow("Report a reaction")
    for name, value in (("term", "fever_38"), ("seriousness", "not_serious"),
                        ("outcome", "recovering"), ("reporter", "self")):  # fmt: skip
        nurse.choose(name, value)
        if name == "term":
            today = clock.now
            for field, part in zip(
                nurse.page.locator("[name=onset_on]").all(),
                (today.day, today.month, today.year), strict=True,
            ):  # fmt: skip
                nurse.write(field, str(part))
    nurse.press("Report it")
    nurse.says("Fever of 38 °C or more")


def two_are_not_vaccinated(nurse, clinic):
    """Somebody answers yes: a nurse decides; somebody does not agree, and leaves without a dose."""
    nurse.page.goto(f"{nurse.address}/clinic/")
    nurse.follow("Zoé Kanarière")
    nurse.enter(nurse.page.locator("main").get_by_text("Record the dose", exact=True))
    nurse.tick("identity")
    nurse.tick("all_no")
    nurse.choose("q_fever_today", "yes")
    nurse.write(nurse.page.locator("[name=lot]"), clinic.lot)
    nurse.press("Save the dose")
    nurse.choose("outcome", "refuse")
    nurse.choose("reason", "ill_today")
    nurse.press("Save the decision")
    nurse.says("Not vaccinated")

    # Somebody does not agree, and leaves without a dose.
    nurse.page.goto(f"{nurse.address}/clinic/")
    nurse.follow("Ben Kanaridi")
    nurse.reach(nurse.page.locator("summary", has_text="Agreed, refused"))
    nurse.page.keyboard.press("Enter")
    nurse.choose("decision", "refused")
    nurse.press("Save")
    nurse.says("They do not agree")
    nurse.choose("why_not", "refused")
    nurse.press("Save as not vaccinated")


def two_count(visit, address, clock):
    """In the evening two people count, each signed in as themselves, and the session is closed."""
    clock.pass_by(minutes=115)
    nurse = Keys(visit(), address, "Nadia Nurse")
    nurse.page.goto(f"{address}/clinic/closing/")
    nurse.write(nurse.page.locator("[name=found]"), "4")
    nurse.press("Count")
    nurse.says("Waits for a second person")
    lead = Keys(visit(), address, "Lea Lead")
    lead.page.goto(f"{address}/clinic/closing/")
    lead.write(lead.page.locator("[name=found]"), "4")
    lead.press("Second count")
    lead.says("Two people counted the same")
    lead.press("Close the session")
    lead.says("Closed")


@pytest.mark.usefixtures("stocked")
def test_one_of_everything_by_keyboard(address, visit, book, clinic, clock, parts):
    book()
    book(identity_value="B2", given_latin="Zoe", family="Kanarière", given="Zoé", slot=1)
    book(identity_value="C3", given_latin="Ben", family="Kanaridi", given="Ben", slot=1)
    nurse = Keys(visit(), address, "Nadia Nurse")
    somebody_is_vaccinated(nurse, clinic)
    and_watched_and_corrected(nurse, clinic)
    and_has_a_fever(nurse, clock)
    two_are_not_vaccinated(nurse, clinic)
    two_count(visit, address, clock)
    with parts.doors.reading() as db:
        assert db.scalars(select(Stock.remaining)).all() == [4]
        assert db.scalars(select(Observation.state)).all() == ["left_early"]
