"""The tour of the README, walked in a browser through the running demonstration."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import code_in
from tools.running import ROOT, free_port

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demonstration")]


def test_a_citizen_books_the_nearest_free_place(demonstration, visit):
    page = visit()
    page.goto(demonstration.address)
    page.get_by_role("button", name="Book a vaccination").click()
    page.get_by_label("Which town is nearest to you?").select_option(index=1)
    page.get_by_role("button", name="Show free times").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()  # the second dose as proposed

    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()

    page.locator("[name=family]").fill("Kanaridge")
    page.locator("[name=given]").fill("Kanarina")
    page.locator("[name=family_latin]").fill("Kanaridge")
    page.locator("[name=given_latin]").fill("Kanarina")
    page.get_by_role("button", name="Continue").click()
    for field, value in zip(
        page.locator("[name=birth_date]").all(), ("27", "3", "1985"), strict=True
    ):
        field.fill(value)
    page.locator("[name=sex][value=female]").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.locator("[name=phone]").fill("+44 (7700) 900999")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_text("Kanaridge").first).to_be_visible()
    page.get_by_role("button", name="Book", exact=True).click()
    assert re.search(r"HC-[0-9A-Z]{4}-[0-9A-Z]{4}", page.locator("main").inner_text())


def test_a_dose_becomes_a_certificate_and_an_error_ends_it_everywhere(demonstration, visit):
    base = demonstration.address

    # A nurse records the dose of somebody who has arrived today.
    nurse = visit()
    nurse.goto(f"{base}/dev/sign-in")
    nurse.get_by_role("button", name=re.compile("Sign in as .*Nurse")).first.click()
    # Not who walked in before and left no telephone: no code reaches them.
    row = nurse.locator("tr", has_text="Arrived").filter(has_not_text="Kanarwalk").first
    reference = re.search(r"HC-[0-9A-Z]{4}-[0-9A-Z]{4}", row.inner_text())[0]
    born = row.locator("time").nth(1).get_attribute("datetime")
    row.get_by_role("link").first.click()
    nurse.get_by_role("button", name="Record the dose").click()
    nurse.get_by_label("I have checked who this is").check()
    nurse.locator("[name=lot]").select_option(index=1)
    nurse.locator("[name=body_site][value=LA]").check()
    nurse.get_by_role("button", name="Save the dose").click()
    nurse.get_by_text("The certificate is signed").wait_for()
    recorded = nurse.url

    # The citizen comes in by reference, birth date and the code that is sent.
    citizen = visit(width=390)
    citizen.goto(f"{base}/my/sign-in")
    citizen.get_by_label("Reference or number").fill(reference)
    birth = [str(int(part)) for part in reversed(born.split("-"))]
    for field, value in zip(citizen.locator("[name=birth_date]").all(), birth, strict=True):
        field.fill(value)
    citizen.get_by_role("button", name="Send me a code").click()
    outbox = visit()
    outbox.goto(f"{base}/dev/outbox")
    code = next(
        code_in(text) for text in outbox.locator(".hc-card").all_inner_texts()
        if re.search(r"\b\d{6}\b", text)
    )  # fmt: skip
    citizen.locator("[name=code]").fill(code)
    citizen.get_by_role("button", name="Continue").click()
    citizen.locator("a[href*='/my/certificates/']").first.click()
    certificate = citizen.url
    barcode = citizen.request.get(f"{certificate}.txt").text()
    assert barcode.startswith("HC1:")
    assert citizen.request.get(f"{certificate}.png").body().startswith(b"\x89PNG")
    assert "<svg" in citizen.request.get(f"{certificate}.svg").text()

    # Anybody checks it: on the page, by the interface, by the command.
    assert verdict(base, barcode)["verdict"] == "valid"
    stranger = visit(language="ar", width=390)
    stranger.goto(f"{base}/verify")
    assert stranger.evaluate("getComputedStyle(document.body).direction") == "rtl"
    stranger.locator("textarea").fill(barcode)
    stranger.locator("main button").click()
    expect(stranger.locator(".hc-verdict--valid")).to_be_visible()

    # The nurse finds the entry was wrong: the certificate is revoked in the next bundle.
    nurse.goto(recorded)
    nurse.get_by_role("link", name="Something is wrong with this entry").click()
    nurse.get_by_role("radio").first.check()
    nurse.get_by_role("button", name="Save").click()
    deadline = time.monotonic() + 20
    while (found := verdict(base, barcode))["verdict"] == "valid":
        assert time.monotonic() < deadline, "the next bundle did not come"
        time.sleep(0.5)
    assert (found["verdict"], found["reasons"][0]["code"]) == ("invalid", "revoked")
    citizen.goto(certificate)
    expect(citizen.get_by_text("This certificate was withdrawn")).to_be_visible()


def test_a_second_start_says_plainly_that_the_port_is_taken(demonstration, tmp_path):
    port = demonstration.address.rpartition(":")[2]
    done = run({"HEALTHCERT_PORT": port, "HEALTHCERT_DATA_DIR": str(tmp_path)})
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be opened" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_data_folder_that_cannot_be_one_is_told_in_one_sentence(tmp_path):
    (tmp_path / "var").write_text("a file")
    done = run({"HEALTHCERT_PORT": str(free_port()), "HEALTHCERT_DATA_DIR": str(tmp_path / "var")})
    assert done.returncode == 1
    assert str(tmp_path / "var") in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def verdict(base: str, barcode: str) -> dict:
    asked = urllib.request.Request(
        f"{base}/api/v1/verify",
        data=json.dumps({"barcode": barcode}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.load(answer)


def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "healthcert", "demo", "run"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin"} | environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
