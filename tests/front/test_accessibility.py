"""Every component, looked at by axe in a real browser: both directions, widths, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
RUN = f"""async () => {{
  const found = await axe.run(document, {{runOnly: {RULES}}});
  return found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)).join(' '));
}}"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not AXE.is_file(), reason="axe NOT run: run `make front` first"),
]


@pytest.fixture(params=["light", "dark"])
def page(chromium, request):
    context = chromium.new_context(color_scheme=request.param)
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


@pytest.fixture
def complaints(page):
    heard = []
    page.on("console", lambda said: heard.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda fault: heard.append(str(fault)))
    return heard


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("state", ["", "wrong"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(page, complaints, address, language, state):
    page.goto(f"{address}/styleguide?lang={language}&state={state}", wait_until="networkidle")
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
        page.evaluate(AXE.read_text(encoding="utf-8"))  # evaluated, it is not under the policy
        assert page.evaluate(RUN) == [], width
    assert complaints == []


def test_the_policy_stops_what_is_inline(page, complaints, address):
    page.goto(f"{address}/styleguide")
    page.evaluate(
        """() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';
                   document.body.append(s); }"""
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in words for words in complaints)


def test_everything_that_is_pressed_is_large_enough_for_a_thumb(page, address):
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{address}/styleguide")
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, .govuk-button')]
             .filter(e => e.type !== 'hidden' && e.offsetParent)
             .filter(e => e.getBoundingClientRect().height < 24)
             .map(e => e.outerHTML.slice(0, 90))"""
    )
    assert small == []


def test_the_code_stays_black_on_white_in_the_dark(page, address):
    page.goto(f"{address}/styleguide")
    colour = page.evaluate("getComputedStyle(document.querySelector('.hc-qr')).backgroundColor")
    assert colour == "rgb(255, 255, 255)"
