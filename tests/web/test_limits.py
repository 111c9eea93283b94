"""Whoever tries too often is told when to try again, by the address that our proxies tell."""

from __future__ import annotations

import re

import pytest

from healthcert.app import create_app
from healthcert.data.limits import limits
from healthcert.models import LimitCounter
from healthcert.services import alarms
from tests.certificates import NOW
from tests.web.conftest import ALIA, Browser, tell

ASKED = {"reference": "HC-0000-0000", "birth_date": ["27", "3", "1985"]}


def ask(browser, **more):
    return browser.post("/my/sign-in", ASKED, **more)


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
@pytest.mark.usefixtures("clinic")
def test_asking_for_codes_ends_with_429_and_the_time_to_come_back(browser, clock, language):
    limit = limits()["ask_code"]["identity"]
    assert {ask(browser).status_code for _ in range(limit.most)} == {303}
    clock.pass_by(seconds=10)
    answer = ask(browser, headers={"Accept-Language": language})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(limit.within - 10)
    assert re.search(r'<time datetime="[^"]+"', answer.text)
    assert ("You can try again" in answer.text) == (language == "en")
    clock.pass_by(seconds=limit.within)
    assert ask(browser).status_code == 303


@pytest.mark.usefixtures("clinic")
def test_known_and_unknown_are_refused_alike(app, book, clock):
    _visitor, number = book()
    told = []
    for asked in (ASKED, ASKED | {"reference": number}):
        visitor = Browser(app)
        answers = [visitor.post("/my/sign-in", asked) for _ in range(8)]
        told.append([(one.status_code, one.headers.get("Retry-After")) for one in answers])
        clock.pass_by(hours=1)
    assert told[0] == told[1]


def networks(parts, name="ask_code.network"):
    with parts.doors.reading() as db:
        return db.query(LimitCounter).filter_by(name=name).count()


@pytest.mark.usefixtures("clinic")
def test_a_made_up_forwarding_header_is_not_believed(app, parts):
    for number in range(3):
        ask(Browser(app), headers={"X-Forwarded-For": f"203.0.{number}.1"})
    assert networks(parts) == 1


@pytest.mark.usefixtures("clinic")
def test_behind_a_proxy_what_the_proxy_says_counts_and_what_came_before_it_does_not(
    parts, published, database_url, clock
):
    behind = create_app(
        published.at(database_url=database_url, trusted_proxies=1), clock=clock, floor=clock
    )
    for number in range(3):
        forwarded = f"203.0.{number}.1, 198.51.100.7"
        ask(Browser(behind), headers={"X-Forwarded-For": forwarded})
    assert networks(parts) == 1
    ask(Browser(behind), headers={"X-Forwarded-For": "203.0.113.1, 192.0.2.1"})
    assert networks(parts) == 2
    behind.extensions["healthcert"].close()


def test_a_hoarder_is_stopped_and_what_was_typed_stays(clinic, book):
    visitor, _number = book()
    most = limits()["book"]["identity"].most
    asked = f"?slot={clinic.slots[1]}&second=later"
    answers = [tell(visitor, asked, ALIA).status_code]
    for _ in range(most - 1):
        page = f"/book/check{asked}"
        answers.append(visitor.post(f"/book/hold{asked}", page=page).status_code)
    assert answers[:-1] == [409] * (most - 1)
    assert answers[-1] == 429
    assert "KANARI" in visitor.get(f"/book/details{asked}&number=1&step=document").text


def test_an_alarm_stands_on_the_state_page_until_it_is_closed(clinic, parts, staff):
    about = ("staff", clinic.staff["nurse"])
    with parts.doors.transaction() as db:
        alarms.sound(db, kind="certify.identity", about=about, now=NOW)
    admin = staff("admin")
    page = admin.get("/admin/").text
    assert "very many doses" in page
    path = re.search(r"/admin/alarms/[0-9a-f-]+", page)[0]
    assert staff("nurse").post(path, {"reason": "explained"}, page="/clinic/").status_code == 403
    assert admin.post(path, {"reason": "fun"}, page="/admin/").status_code == 400
    assert admin.post(path, page="/admin/").status_code == 303
    assert "very many doses" in admin.get("/admin/").text
    assert admin.post(path, {"reason": "explained"}, page="/admin/").status_code == 303
    assert "very many doses" not in admin.get("/admin/").text
