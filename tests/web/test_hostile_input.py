"""Whatever is typed, sent or asked for: a door answers, and never with a fault of its own.

`HEALTHCERT_HOSTILE` says how often each door is asked as each role; the same seed asks the same.
"""

from __future__ import annotations

import os
import random
import re

import pytest

from healthcert.policy.roles import Role, has
from healthcert.web.acts import ACTS
from healthcert.web.draft import STEPS
from tests.web.conftest import Browser
from tests.web.test_guards import path_of, routes

# PostgreSQL takes less than SQLite: no NUL in a text, no number beyond its columns.
ON = "postgresql"

SEED, ROUNDS = 20261121, int(os.environ.get("HEALTHCERT_HOSTILE", "1"))
NASTY = (
    "", " ", "0", "-1", "x" * 3000, "\ud7ff", "\u202e", "<script>alert(1)</script>",
    "{{7*7}}", "%s%n", "' OR 1=1 --", "../../etc/passwd", "01890000-0000-7000-8000-000000000000",
    "١٢٣", "½",
    "9" * 400, "NaN", "1e309", "9999-99-99", "2026-02-30T25:61", "HC-7K4M-2QXD", "HC1:", "//evil",
)  # fmt: skip
FIELDS = (
    "family", "given", "family_latin", "given_latin", "birth_date", "sex", "identity_kind",
    "identity_value", "phone", "mail", "language", "reference", "code", "identity", "product",
    "lot", "other_lot", "body_site", "given_at", "reason", "staff", "next", "barcode", "picture",
    "country", "taker", "act", "days", "slot", "dose", "programme", "town", "go", "find", "lang",
    "save", "people", "needs", "hours", "since", "second", "source", "number", "step", "person",
    "text", "born",
)  # fmt: skip
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def visitors(app, staff, holder):
    return {
        None: Browser(app),
        Role.CITIZEN: holder(),
        Role.CLERK: staff("clerk"),
        Role.NURSE: staff("nurse"),
        Role.ADMIN: staff("admin"),
    }


def some(chance):
    return {name: chance.sample(NASTY, 3) for name in chance.sample(FIELDS, 20)}


def token_of(browser):
    return {"csrf_token": _TOKEN.search(browser.get("/my/sign-in").text)[1]}


def paths_seen(browser, pages):
    """Return the addresses of the forms and links on pages, which name real things."""
    found = set()
    for page in pages:
        found |= set(re.findall(r'(?:href|action)="(/[^"#?]*)', browser.get(page).text))
    return {path for path in found if not path.startswith("/static/")}


def test_no_route_breaks_whatever_is_sent(app, visitors):
    chance = random.Random(SEED)
    sent = 0
    for rule, method in routes(app):
        for role, browser in visitors.items():
            if not has(role, ACTS[rule.endpoint]) or rule.endpoint == "staff.sign_out":
                continue
            for _ in range(ROUNDS):
                form = None if method == "GET" else some(chance) | token_of(browser)
                answer = browser.client.open(
                    path_of(rule), method=method, query_string=some(chance), data=form
                )
                assert answer.status_code < 500, (SEED, rule.rule, role, answer.status_code)
                assert b"<script>alert" not in answer.data
                sent += 1
    assert sent > 100


def test_no_form_of_a_real_thing_breaks_whatever_is_typed(visitors):
    chance = random.Random(SEED)
    nurse, citizen = visitors[Role.NURSE], visitors[Role.CITIZEN]
    sent = 0
    for browser, starts in ((nurse, ["/clinic/"]), (citizen, ["/my/"])):
        known = paths_seen(browser, starts)
        known |= paths_seen(browser, [path for path in known if re.search(r"[0-9a-f]{8}-", path)])
        for path in sorted(known - {"/sign-out"}):
            for _ in range(ROUNDS):
                fields = some(chance) | token_of(browser)
                answers = [
                    browser.get(path, query_string=some(chance)),
                    browser.client.post(path, data=fields),
                ]
                for answer in answers:
                    assert answer.status_code < 500, (SEED, path, answer.status_code)
                    assert b"<script>alert" not in answer.data
                    sent += 1
    assert sent > 60


@pytest.mark.parametrize("text", NASTY)
def test_the_details_of_a_person_are_judged_and_never_break(browser, clinic, text):
    asked = f"?slot={clinic.slots[0]}&number=1&step="
    for step, names in STEPS.items():
        for name in names:
            answer = browser.post(f"/book/details{asked}{step}", {name: [text] * 3})
            assert answer.status_code in {303, 400}, name
    answer = browser.get(f"/book/check?slot={clinic.slots[0]}")
    assert answer.status_code == 303  # what is wrong is never whole


@pytest.mark.parametrize("header", ["fr;q=", "x" * 9000, "\u00ff", "*", "ar-u-nu-latn;q=0.5,,"])
def test_headers_and_cookies_never_break_a_page(browser, header):
    answer = browser.get(
        "/", headers={"Accept-Language": header, "Cookie": f"healthcert_session={header[:3000]}"}
    )
    assert answer.status_code == 200
    answer = browser.get("/my/", headers={"Cookie": "healthcert_session=x; healthcert_language=zz"})
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/admin/held?identifier=%00", "/admin/sites?after=a%00"])
def test_a_text_that_no_column_holds_is_refused_before_it_gets_there(visitors, path):
    answer = visitors[Role.ADMIN].get(path)
    assert answer.status_code == 400
    assert "The request cannot be understood" in answer.text


def test_a_form_with_a_text_that_no_column_holds_is_refused_by_its_door(visitors):
    nurse = visitors[Role.NURSE]
    told = token_of(nurse) | {"reason": "a\0b"}
    assert nurse.client.post("/clinic/", data=told).status_code == 400
    assert visitors[None].client.post("/clinic/", data=told).status_code == 303
