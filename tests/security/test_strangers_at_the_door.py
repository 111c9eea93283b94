"""What strangers try at the citizen's door, and what it tells them: nothing."""

from __future__ import annotations

import re
import statistics
import time

from sqlalchemy import func, select

from healthcert.models import AccessCode, Message
from tests.web.conftest import ALIA, Browser
from tests.web.fixtures import *  # noqa: F403

BORN, OTHER = ["27", "3", "1985"], ["28", "3", "1985"]
OF_EACH_ANSWER = {"Set-Cookie", "Date", "X-Request-Id"}
PAIRS = 20
_CHANGING = re.compile(r'name="csrf_token" value="[^"]*"|nonce-[\w-]+|nonce="[^"]*"')


def asked(browser, **told):
    """Return all that the answer to a claim tells, but for what changes with every answer."""
    answer = browser.post("/my/sign-in", {"kind": "reference", "birth_date": BORN} | told)
    page = browser.get("/my/code")
    headers = [
        sorted((name, value) for name, value in one.headers if name not in OF_EACH_ANSWER)
        for one in (answer, page)
    ]
    texts = [_CHANGING.sub("", one.text) for one in (answer, page)]
    assert answer.status_code == 303, answer.text
    return repr((answer.status, page.status, headers, texts, len(answer.headers)))


def sent(parts) -> int:
    with parts.doors.reading() as db:
        return db.scalar(select(func.count(Message.id)).where(Message.template == "code")) or 0


def test_someone_who_knows_name_and_birth_date_learns_and_gets_nothing(app, book, parts):
    _visitor, number = book()
    _visitor, bare = book(
        slot=1, identity_value="BARE 1", phone="", mail="", family="Kanarian", given="Bare"
    )
    claims = [
        {"reference": number},
        {"reference": number, "birth_date": OTHER},
        {"reference": "HC-0000-0000"},
        {"reference": bare},  # has nowhere to be told
        {"kind": "passport", "reference": ALIA["identity_value"]},
        {"kind": "passport", "reference": ALIA["identity_value"], "birth_date": OTHER},
        {"kind": "passport", "reference": "BARE 1"},
        {"kind": "passport", "reference": "NOBODY 1"},
        {"kind": "national", "reference": ALIA["identity_value"]},
        {"kind": "municipal", "reference": ALIA["family_latin"]},
    ]
    assert len({asked(Browser(app), **claim) for claim in claims}) == 1
    assert sent(parts) == 1  # to the first; the fifth is the same person within a minute
    for claim in claims:
        told = {"kind": "reference", "birth_date": BORN} | claim
        visitor = Browser(app)
        visitor.post("/my/sign-in", told)
        answers = {visitor.post("/my/code", {"code": "000000"}).status_code for _ in range(2)}
        assert answers == {403}


def test_phone_alone_is_never_enough(app, book, parts):
    book()
    visitor = Browser(app)
    for kind in ("phone", "none", "vouched", "card", "subject"):
        answer = visitor.post(
            "/my/sign-in", {"kind": kind, "reference": ALIA["phone"], "birth_date": BORN}
        )
        assert answer.status_code == 400
    for kind in ("passport", "national"):
        asked(Browser(app), kind=kind, reference=ALIA["phone"])
    assert sent(parts) == 0
    with parts.doors.reading() as db:
        assert db.scalar(select(AccessCode.id)) is None


def test_neither_asking_nor_guessing_tells_by_its_time_who_is_known(app, book, clock):
    """The times of known and unknown are mixed: neither is usually the slower.

    A request to a page that needs no session shows that a difference would be seen.
    """
    _visitor, number = book()
    known = {"kind": "reference", "reference": number, "birth_date": BORN}
    unknown = known | {"reference": "HC-0000-0000"}
    browsers = {name: Browser(app) for name in ("known", "unknown")}
    times = {(name, step): [] for name in browsers for step in ("ask", "guess", "control")}
    for turn in range(PAIRS):
        clock.pass_by(hours=3.5)  # so that each code asked for does leave
        for name in sorted(browsers, reverse=bool(turn % 2)):
            visitor = browsers[name] = Browser(app)
            claim = known if name == "known" else unknown
            times[name, "ask"].append(took(visitor, "/my/sign-in", claim))
            times[name, "guess"].append(took(visitor, "/my/code", {"code": "000000"}))
            control = "/my/sign-in" if name == "known" else "/verify"
            times[name, "control"].append(took(visitor, control, None))
    for step in ("ask", "guess"):
        assert 0.15 < later(times["known", step], times["unknown", step]) < 0.85, step
    assert later(times["known", "control"], times["unknown", "control"]) > 0.85


def took(browser, path, form):
    """Return the seconds that an answer takes, without those of the page before it."""
    if form is None:
        begun = time.perf_counter()
        browser.get(path)
        return time.perf_counter() - begun
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)[1]
    begun = time.perf_counter()
    answer = browser.client.post(path, data=form | {"csrf_token": token})
    took_it = time.perf_counter() - begun
    assert answer.status_code in (303, 403)
    return took_it


def later(ones, others) -> float:
    """Return how often one of the first is longer than one of the second: 0.5 if they are alike."""
    return statistics.fmean(one > other for one in ones for other in others)
