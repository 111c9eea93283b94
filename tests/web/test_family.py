"""A family: a child written down, a carer invited, whose record is open, and the end of it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from healthcert.models import AuditEvent, Message, Proxy, new_id
from tests.web.conftest import Browser, enter

ON = "sqlite"  # what the database holds is tried on each engine in tests/services/test_proxies.py

CHILD = {
    "family": "الكناري", "given": "صغيرة", "family_latin": "Kanarian", "given_latin": "Saghira",
    "birth_date": ["1", "6", "2018"], "sex": "female", "identity_kind": "none", "language": "en",
}  # fmt: skip
CARER = {
    "family": "Kanarière", "given": "Zoé", "family_latin": "", "given_latin": "",
    "identity_value": "CARER 1", "phone": "+447700900777", "birth_date": ["3", "4", "1990"],
}  # fmt: skip


@pytest.fixture
def mother(holder):
    """Return a browser of a citizen who has written a child down."""
    citizen = holder()
    answer = citizen.post("/my/family/child", CHILD)
    assert answer.status_code == 303, answer.text
    return citizen


@pytest.fixture
def pair(app, book, newest_message, clock):
    """Return an adult, the carer they let in for looking and booking, and their reference."""
    _visitor, number = book()
    adult = enter(Browser(app), number, newest_message)
    _visitor, other = book(slot=1, **CARER)
    carer = enter(Browser(app), other, newest_message, birth=("3", "4", "1990"))
    clock.pass_by(minutes=2)  # nobody is sent two codes in a minute

    def let(*scopes):
        assert adult.post("/my/family/invite", {"scopes": list(scopes)}).status_code == 303
        code = re.search(r"\d{6}", newest_message("carer_code"))[0]
        told = {"kind": "reference", "reference": number, "birth_date": ["27", "3", "1985"]}
        return carer.post("/my/family/join", told | {"code": code})

    return adult, carer, let


def act(browser):
    action = re.search(r"/my/family/look-after/[0-9a-f-]+", browser.get("/my/family/").text)[0]
    return browser.post(action, page="/my/family/")


def ended(browser):
    action = re.search(r"/my/family/[0-9a-f-]+/end", browser.get("/my/family/").text)[0]
    return browser.post(action, page="/my/family/")


def test_a_mother_sees_her_childs_pages_and_every_page_says_so(mother):
    assert act(mother).location == "/my/"
    page = mother.get("/my/").text
    assert "You are looking after" in page
    assert "صغيرة الكناري" in page
    assert "كنارية" not in page
    assert "You are looking after" in mother.get("/my/record").text
    assert mother.post("/my/family/myself", page="/my/").location == "/my/"
    assert "You are looking after" not in mother.get("/my/").text


def test_who_opened_the_childs_record_stands_in_its_log(mother, parts):
    act(mother)
    mother.get("/my/")
    assert "Parent or guardian" in mother.get("/my/record/seen").text
    with parts.doors.reading() as db:
        seen = db.scalars(select(AuditEvent).filter_by(act="record_seen")).all()
        child = db.scalars(select(Proxy.person_id)).first()
        mother_id = db.scalars(select(Proxy.proxy_person_id)).first()
    assert {(one.actor_kind, one.actor_id, one.subject_id) for one in seen} == {
        ("citizen", mother_id, child)
    }


def test_a_child_that_cannot_be_added_is_told_so(holder):
    citizen = holder()
    for changes, told in (
        ({"birth_date": ["1", "6", "2000"]}, "of age"),
        ({"identity_kind": "passport", "identity_value": "kanari123456"}, "on record already"),
        ({"family": ""}, "fill this in"),
    ):
        answer = citizen.post("/my/family/child", CHILD | changes)
        assert answer.status_code == 400
        assert told in answer.text


def test_a_carer_lets_go_and_at_once_sees_nothing_more(pair, parts):
    adult, carer, let = pair
    assert let("view", "book").status_code == 303
    act(carer)
    assert "كنارية" in carer.get("/my/").text
    assert ended(adult).status_code == 303
    assert carer.get("/my/").status_code == 404
    assert "كنارية" not in carer.get("/my/").text
    with parts.doors.reading() as db:
        told = db.scalars(select(Message.template).order_by(Message.id)).all()
    assert told.count("proxy_begun") == told.count("proxy_ended") == 2


def test_a_carer_cancels_for_somebody_and_stands_in_the_audit(pair, parts):
    _adult, carer, let = pair
    let("view", "book")
    act(carer)
    action = re.search(r"/my/appointments/[0-9a-f-]+/cancel", carer.get("/my/").text)[0]
    assert carer.post(action, page="/my/").status_code == 303
    with parts.doors.reading() as db:
        event = db.scalars(select(AuditEvent).filter_by(act="appointment_cancelled")).one()
        assert event.actor_id == db.scalars(select(Proxy.proxy_person_id)).first()


def test_what_was_not_let_is_not_found(pair):
    _adult, carer, let = pair
    let("view")
    act(carer)
    action = re.search(r"/my/appointments/[0-9a-f-]+/cancel", carer.get("/my/").text)[0]
    assert carer.post(action, page="/my/").status_code == 404
    act(carer)
    assert carer.get("/my/erase").status_code == 404


def test_a_wrong_code_and_an_empty_invitation_are_told(pair):
    adult, carer, _let = pair
    told = {"reference": "HC-0000-0000", "birth_date": ["27", "3", "1985"], "code": "000000"}
    for browser, path, form, words in (
        (carer, "/my/family/join", told, "this code does not work"),
        (adult, "/my/family/invite", {}, "fill this in"),
    ):
        answer = browser.post(path, form)
        assert answer.status_code == 400
        assert words in answer.text


def test_anothers_proxy_or_person_is_not_found(mother, holder, parts):
    with parts.doors.reading() as db:
        proxy = db.scalars(select(Proxy)).first()
    stranger = holder(identity_value="OTHER", slot=1)
    for each in (proxy.id, proxy.person_id, proxy.proxy_person_id, new_id()):
        for path in (f"/my/family/look-after/{each}", f"/my/family/{each}/end"):
            assert stranger.post(path, page="/my/family/").status_code == 404
    assert act(mother).status_code == 303


@pytest.fixture
def desk(book, staff):
    """Return the clerk's browser and the address of somebody without papers or a phone."""
    bare = {"identity_kind": "none", "identity_value": "", "phone": "", "mail": ""}
    book(**bare)
    clerk = staff("clerk")
    path = re.search(r"/clinic/appointments/[0-9a-f-]+", clerk.get("/clinic/").text)[0]
    return clerk, path


def test_who_has_nothing_gets_a_card_and_help_with_their_own_pages(desk, parts):
    clerk, path = desk
    card = clerk.post(f"{path}/card", page=path).text
    assert re.search(r"HC-\w{4}-\w{4}", card)
    assert clerk.post(f"{path}/help", page=path).status_code == 400
    assert clerk.post(f"{path}/help", {"seen": "y"}, page=path).location == "/my/"
    page = clerk.get("/my/").text
    assert "You are looking after" in page
    assert "Staff sign-in" not in page
    assert "Somebody at a desk who helps" in clerk.get("/my/record/seen").text
    for closed in ("/my/family/", "/clinic/", "/my/erase"):
        assert clerk.get(closed).status_code in (403, 404)
    clerk.post(f"{path}/help", {"seen": "y"}, page=path)
    with parts.doors.reading() as db:
        seen = db.scalars(select(AuditEvent).filter_by(act="record_seen", actor_kind="staff"))
        assert {"for_them", "registration", "request"} == {one.details["reason"] for one in seen}
    clerk.post("/my/family/myself", page="/my/")
    assert clerk.get("/clinic/").status_code == 200


def test_a_document_that_comes_later_is_added_or_reported(desk, book):
    clerk, path = desk
    brought = {"identity_kind": "passport", "identity_value": "LATE1"}
    assert "The document is on record" in clerk.post(f"{path}/document", brought, page=path).text
    book(slot=1, identity_value="TWICE1")
    twice = clerk.post(f"{path}/document", brought | {"identity_value": "twice 1"}, page=path)
    assert "A request says so: others decide it" in twice.text
    empty = clerk.post(f"{path}/document", brought | {"identity_value": ""}, page=path)
    assert empty.status_code == 400
    assert "fill this in" in empty.text
