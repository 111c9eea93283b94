"""Take the pictures of the README: the main job in English and Arabic, on a phone and a desk."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tools.running import ROOT, demonstration

FOLDER = ROOT / "docs" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
WIDTHS = (390, 1280)
LANGUAGES = ("en", "ar")
COLOURS = 128  # these pages have few; it makes the files four times smaller


class Walk:
    """One visitor's walk in one language at one width, with a camera."""

    def __init__(self, browser: Browser, address: str, language: str, width: int) -> None:
        """Open a window of one's own."""
        self.address, self.language, self.width = address, language, width
        context = browser.new_context(viewport={"width": width, "height": 844}, locale=language)
        self.page: Page = context.new_page()

    def go(self, path: str) -> None:
        """Open a page in the walk's language."""
        self.page.goto(f"{self.address}{path}{'&' if '?' in path else '?'}lang={self.language}")

    def take(self, name: str) -> None:
        """Save what is seen."""
        picture = Image.open(io.BytesIO(self.page.screenshot(full_page=True)))
        shown = picture.crop((0, 0, picture.width, min(picture.height, 1400)))
        shown.convert("RGB").quantize(COLOURS).save(
            FOLDER / f"{name}-{self.language}-{self.width}.png", optimize=True
        )


def certified(browser: Browser, address: str) -> tuple[str, str]:
    """Have a nurse record a dose; return the reference and birth date of who got it."""
    walk = Walk(browser, address, "en", 1280)
    walk.go("/dev/sign-in")
    walk.page.get_by_role("button", name=re.compile("Sign in as .*Nurse")).first.click()
    row = walk.page.locator("tr", has_text="Arrived").first
    reference = row.locator(".hc-reference").inner_text()
    born = row.locator("time").nth(1).get_attribute("datetime")
    row.get_by_role("link").first.click()
    walk.page.get_by_role("button", name="Record the dose").click()
    walk.page.get_by_label("I have checked who this is").check()
    walk.page.locator("[name=lot]").select_option(index=1)
    walk.page.locator("[name=body_site][value=LA]").check()
    walk.page.get_by_role("button", name="Save the dose").click()
    walk.page.get_by_text("The certificate is signed").wait_for()
    return reference, born or ""


def enter(walk: Walk, outbox: Walk, reference: str, born: str) -> None:
    """Sign a citizen in by reference, birth date and the code in the outbox."""
    walk.go("/my/sign-in")
    walk.page.locator("[name=reference]").fill(reference)
    for field, part in zip(
        walk.page.locator("[name=birth_date]").all(), reversed(born.split("-")), strict=True
    ):
        field.fill(part)
    walk.page.locator("main button").click()
    outbox.go("/dev/outbox")
    texts = outbox.page.locator(".hc-card").all_inner_texts()
    code = next(found[0] for text in texts if (found := re.search(r"\b\d{6}\b", text)))
    walk.page.locator("[name=code]").fill(code)
    walk.page.locator("main button").click()


def tour(browser: Browser, address: str, reference: str, born: str) -> None:
    """Walk the main job in every language at every width."""
    outbox = Walk(browser, address, "en", 1280)
    signed_in = {language: Walk(browser, address, language, 390) for language in LANGUAGES[:1]}
    enter(signed_in["en"], outbox, reference, born)
    cookies = signed_in["en"].page.context.cookies()
    for language in LANGUAGES:
        for width in WIDTHS:
            walk = Walk(browser, address, language, width)
            walk.go("/")
            walk.take("home")
            walk.go("/book/")
            walk.page.locator("[name=town]").select_option(index=1)
            walk.page.locator("main button").click()
            walk.take("times")
            walk.page.get_by_role("radio").first.check()
            walk.page.locator("main button").click()
            walk.take("second")
            walk.page.locator("main button").click()
            walk.take("details")
            walk.page.context.add_cookies([c for c in cookies if "language" not in c["name"]])
            walk.go("/my/")
            walk.page.locator("a[href*='/my/certificates/']").first.click()
            walk.take("certificate")
            barcode = walk.page.request.get(f"{walk.page.url.partition('?')[0]}.txt").text()
            walk.go("/my/record")
            walk.take("record")
            walk.go("/verify")
            walk.page.locator("textarea").fill(barcode)
            walk.page.locator("main button").click()
            walk.take("verdict")
            clinic = Walk(browser, address, language, width)
            clinic.page.goto(f"{address}/dev/sign-in?lang=en")
            clinic.page.get_by_role("button", name=re.compile("Nurse")).first.click()
            clinic.page.wait_for_url("**/clinic/**")
            clinic.go("/clinic/")
            clinic.take("clinic")


def main() -> None:
    """Start the demonstration, walk, save."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        demonstration(Path(folder)) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        tour(browser, running.address, *certified(browser, running.address))
        browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.relative_to(ROOT)}/")


if __name__ == "__main__":
    main()
