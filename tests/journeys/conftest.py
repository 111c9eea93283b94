"""The service as a newcomer starts it: real processes, a fresh folder, a free port."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator

from tests.canaries import WATCH
from tests.threads import answering
from tests.web.fixtures import *  # noqa: F403
from tools import running
from tools.running import Demonstration


@pytest.fixture(scope="package")
def demonstration(tmp_path_factory) -> Iterator[Demonstration]:
    with running.demonstration(tmp_path_factory.mktemp("demonstration")) as started:
        yield started


@pytest.fixture(scope="package", autouse=True)
def settled() -> Iterator[None]:
    """Let a click last until the page it leads to is there: the browser tells of it too early."""
    click = Locator.click

    def and_waits(self, **named):
        click(self, **named)
        self.page.wait_for_load_state("domcontentloaded")

    Locator.click = and_waits
    yield
    Locator.click = click


@pytest.fixture
def visit(chromium) -> Iterator:
    """Return how to open a browser of one's own on a page."""
    contexts = []

    def opened(language: str = "en-GB", width: int = 1280):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, locale=language, accept_downloads=True
        )
        context.set_default_timeout(15_000)
        context.on("request", lambda request: WATCH.look("an address of a browser", request.url))
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def address(app):
    """Return where the application of the test answers."""
    with answering(app) as address:
        yield address


def code_in(text: str) -> str:
    return re.search(r"\b\d{6}\b", text)[0]
