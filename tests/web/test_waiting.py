"""The pages of the waiting list, of standby doses and of draws."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from healthcert.jobs import places as job
from healthcert.jobs import room
from healthcert.models import Appointment, AuditEvent, Offer, Slot, WaitEntry
from healthcert.policy.draw import Rules
from healthcert.services import draws
from tests import factories as make
from tests.certificates import NOW
from tests.statements import sent
from tests.web.conftest import ALIA, Browser, enter

ON = "sqlite"  # the queries are the same; those of the services are tested on both engines

NEAR = {"town": "port-azur", "within": "20"}


@pytest.fixture
def joined(app, clinic):
    """Return how a stranger joins the list, and what they are answered."""

    def join(**changes):
        form = ALIA | NEAR | {"programme": str(clinic.programme_id)} | changes
        visitor = Browser(app)
        answer = visitor.post("/book/waiting", form)
        return visitor.get(answer.location) if answer.status_code == 303 else answer

    return join


@pytest.fixture
def citizen(app, joined, newest_message):
    """A browser in which somebody who waits is signed in by the number of their document."""
    assert joined().status_code == 200
    browser = Browser(app)
    number = {"kind": "passport", "reference": "KANARI 123456", "birth_date": ["27", "3", "1985"]}
    assert browser.post("/my/sign-in", number).status_code == 303
    code = re.search(r"\d{6}", newest_message("code"))[0]
    assert browser.post("/my/code", {"code": code}).status_code == 303
    return browser


def free_a_place(parts, clinic, slot=2):
    """Keep a slot's places for those who wait, days from now, and let the worker look."""
    with parts.doors.transaction() as db:
        mine = update(Slot).where(Slot.id == clinic.slots[slot])
        db.execute(mine.values(kept_waiting=1, booked=1, starts_at=NOW + timedelta(hours=9),
                               ends_at=NOW + timedelta(hours=10)))  # fmt: skip
    return job.offer(parts, NOW)


def test_a_stranger_joins_and_is_told_where_they_stand(joined, newest_message):
    page = joined().get_data(as_text=True)
    assert "You are on the waiting list" in page
    assert "nobody" in page
    assert re.search(r"[0-9a-f]{32}", page)
    assert "We write to you when a place is free" in newest_message("waiting")
    again = joined()  # they wait already, or are booked: no more is said
    assert again.status_code == 409
    assert "We cannot put you on the list with these details" in again.text
    assert "You may be on it already, or have an appointment" in again.text
    assert 'href="/my/waiting"' in again.text
    assert "KANARI 123456" in again.text, "what was typed stays"
    born = joined(birth_date=["1", "1", "1999"])
    told = (page.text.split("govuk-notification-banner")[1:] for page in (again, born))
    assert len({each[-1].split("</div>")[0] for each in told}) == 1, "a stranger learns no more"
    assert "HC-" not in page  # the number of their document is enough


def test_who_cannot_be_written_to_is_told_where_to_ask(joined):
    told = joined().get_data(as_text=True)
    assert "We write to you when a place is free for you" in told
    page = joined(identity_value="KANARI 999", phone="", mail="").get_data(as_text=True)
    assert "we cannot tell you when a place is free" in page
    assert "We write to you" not in page


def test_an_offer_names_the_vaccine(parts, clinic, citizen):
    assert free_a_place(parts, clinic) == 1
    page = citizen.get("/my/waiting").text
    assert "Take this place" in page
    assert "Vaccine: <bdi>Comirnaty</bdi>" in page


def test_the_desk_opens_the_list_with_who_waits_and_has_no_appointment(
    parts, clinic, joined, staff
):
    joined()
    free_a_place(parts, clinic)
    with parts.doors.reading() as db:
        entry = db.scalars(select(WaitEntry)).one()
    clerk = staff("clerk")
    address = f"/clinic/people/{entry.person_id}"
    assert clerk.get(address).status_code == 404, "whom one has not looked for is in nobody's reach"
    asked = {"text": "Kanarian", "born": ["27", "3", "1985"]}
    assert address in clerk.post("/clinic/people/", asked).text
    assert "open their pages" in clerk.get(address).text
    assert clerk.post(f"{address}/help", {}, page=address).status_code == 400
    assert clerk.post(f"{address}/help", {"seen": "y"}, page=address).location == "/my/"
    offer = re.search(r"/my/waiting/offers/[0-9a-f-]+/accept", clerk.get("/my/waiting").text)[0]
    assert clerk.post(offer, page="/my/waiting").status_code == 303
    with parts.doors.reading() as db:
        assert db.get_one(WaitEntry, entry.id).state == "placed"


@pytest.mark.parametrize(("verb", "state"), [("accept", "placed"), ("decline", "waiting")])
def test_the_desk_answers_an_offer_for_whom_it_has_on_the_telephone(
    parts, clinic, joined, staff, verb, state
):
    joined()
    free_a_place(parts, clinic)
    with parts.doors.reading() as db:
        entry = db.scalars(select(WaitEntry)).one()
    clerk, page = staff("clerk"), f"/clinic/people/{entry.person_id}"
    clerk.post("/clinic/people/", {"text": "Kanarian", "born": ["27", "3", "1985"]})
    shown = clerk.get(page).text
    assert "A place is offered to them here" in shown
    assert "Vaccine: <bdi>Comirnaty</bdi>" in shown
    path = re.search(rf"/clinic/people/offers/[0-9a-f-]+/{verb}", shown)[0]
    after = clerk.get(clerk.post(path, page=page).location)
    assert after.status_code == 200
    if verb == "decline":
        assert "They wait on where they were" in after.text
    assert clerk.post(path, page=page).status_code == 409
    assert "A place is offered" not in clerk.get(page).text
    with parts.doors.reading() as db:
        assert db.get_one(WaitEntry, entry.id).state == state
        assert db.scalars(select(Appointment.source)).all() == ["phone"] * (verb == "accept")
        noted = select(AuditEvent.actor_id).filter_by(subject_id=entry.id, actor_kind="staff")
        assert db.scalars(noted).all() == [clinic.staff["clerk"]]


def test_who_has_no_document_gets_a_reference_to_answer_by(app, joined, newest_message):
    page = joined(identity_kind="none", identity_value="").get_data(as_text=True)
    number = re.search(r"HC-\w{4}-\w{4}", page)[0]
    assert "nobody" in enter(Browser(app), number, newest_message).get("/my/waiting").text


def test_who_loads_the_page_again_does_not_join_again(browser, parts, clinic):
    form = ALIA | NEAR | {"programme": str(clinic.programme_id), "identity_kind": "none"}
    answer = browser.post("/book/waiting", form | {"identity_value": ""})
    pages = [browser.get(answer.location).text for _ in range(2)]
    assert len({re.search(r"HC-\w{4}-\w{4}", page)[0] for page in pages}) == 1
    with parts.doors.reading() as db:
        assert len(db.scalars(select(WaitEntry)).all()) == 1
    assert "You are on the waiting list" not in browser.get("/book/waiting").text


def test_all_that_is_wrong_is_said_at_once(browser, clinic):
    answer = browser.post("/book/waiting", {"programme": str(clinic.programme_id), "town": ""})
    assert answer.status_code == 400
    assert "<title>Error:" in answer.text
    for wrong in ("nearest to you: fill", "Family name: fill", "Date of birth: fill"):
        assert wrong in answer.text
    answer = browser.post("/book/waiting", ALIA | NEAR | {"birth_date": ["31", "2", "1985"]})
    assert "<title>Error:" in answer.text


def test_what_cannot_be_used_is_asked_again(joined, browser):
    assert browser.get("/book/waiting?typed=1&programme=2&town=3").status_code == 200
    for wrong in ({"town": ""}, {"birth_date": ["", "", ""]}, {"within": "7"}, {"phone": "x"}):
        assert joined(**wrong).status_code == 400, wrong


def test_an_offer_is_answered_on_ones_own_page(citizen, parts, clinic):
    assert "nobody" in citizen.get("/my/waiting").text
    assert free_a_place(parts, clinic) == 1
    page = citizen.get("/my/waiting").text
    accept, decline = re.findall(r"/my/waiting/offers/[0-9a-f-]+/\w+", page)
    assert citizen.post(decline, page="/my/waiting").location == "/my/waiting"
    assert citizen.post(accept, page="/my/waiting").status_code == 409
    assert "A place is free for you" not in citizen.get("/my/waiting").text


def test_the_place_that_is_accepted_stands_among_the_appointments(citizen, parts, clinic):
    free_a_place(parts, clinic)
    accept = re.search(r"/my/waiting/offers/[0-9a-f-]+/accept", citizen.get("/my/waiting").text)[0]
    assert citizen.post(accept, page="/my/waiting").location == "/my/"
    assert re.search(r"HC-\w{4}-\w{4}", citizen.get("/my/").text)
    assert "You are on no waiting list" in citizen.get("/my/waiting").text


def test_who_is_too_late_is_told_kindly(citizen, parts, clinic):
    free_a_place(parts, clinic)
    accept = re.search(r"/my/waiting/offers/[0-9a-f-]+/accept", citizen.get("/my/waiting").text)[0]
    with parts.doors.transaction() as db:
        db.execute(update(Slot).values(booked=2, booked_waiting=Slot.kept_waiting))
    answer = citizen.post(accept, page="/my/waiting")
    assert (answer.status_code, "Somebody was a moment quicker" in answer.text) == (409, True)
    assert "nobody" in citizen.get("/my/waiting").text


def test_one_leaves_and_joins_again_on_ones_own_page(citizen, clinic):
    leave = re.search(r"/my/waiting/[0-9a-f-]+/leave", citizen.get("/my/waiting").text)[0]
    assert citizen.post(leave, page="/my/waiting").status_code == 303
    assert citizen.post("/my/waiting", {"town": ""}).status_code == 400
    form = NEAR | {"programme": str(clinic.programme_id), "within": "any", "standby": "y"}
    assert citizen.post("/my/waiting", form).status_code == 303
    assert "Anywhere in the country" in citizen.get("/my/waiting").text


def test_a_lead_offers_what_is_left_and_others_may_not(staff, clinic, parts, joined):
    joined(standby="y")
    lead = staff("lead")
    with parts.doors.reading() as db:
        session = db.get_one(Slot, clinic.slots[0]).session_id
    for doses in ("0", "a few"):
        refused = lead.post("/clinic/standby", {"session": str(session), "doses": doses})
        assert refused.status_code == 400
        assert "How many doses are left: enter a whole number, 1 or more" in refused.text
    answer = lead.post("/clinic/standby", {"session": str(session), "doses": "3"})
    assert "asked within a minute" in lead.get(answer.location).text
    assert job.offer(parts, NOW) == 1
    with parts.doors.reading() as db:
        assert db.scalars(select(Offer.ends_at)).one() == NOW + timedelta(minutes=45)
    assert staff("nurse").get("/clinic/standby").status_code == 403


def test_lists_take_few_statements(citizen, parts, clinic):
    free_a_place(parts, clinic)
    for path in ("/my/waiting", "/draws"):
        with sent(parts.doors.engine) as told:
            assert citizen.get(path).status_code == 200
        assert len([each for each in told if each.startswith("SELECT")]) <= 5, told


def test_a_draw_has_a_page_and_files_and_each_sees_their_rank(
    browser, citizen, parts, clinic, published
):
    assert "No draw has been announced" in browser.get("/draws").text
    with parts.doors.transaction() as db:
        code = draws_code(db)
        rules = Rules(code, "the lottery", (NOW + timedelta(hours=1)).isoformat(), 1, {})
        by = make.make_admin(db)
        draw = draws.announce(db, vault=parts.vault, rules=rules, staff=by, now=NOW)
    page = browser.get("/draws").text
    assert draw.commitment.hex() in page
    for door in (browser.get("/book/waiting"), citizen.get("/my/waiting")):
        assert "Where a draw is announced" in door.text
    assert folder_state(browser) == [False, False]
    later = NOW + timedelta(hours=2)
    with parts.doors.transaction() as db:
        draws.close(db, draw_id=draw.id, staff=by, now=later)
        done = draws.run(
            db, vault=parts.vault, draw_id=draw.id, public_value="7", staff=by, now=later
        )
        tokens = draws.ranked(done, draws.listed(db, done))
        draws.rank(db, draw_id=draw.id, tokens=tokens, most=9)
    mine = citizen.get("/my/waiting").text
    assert f"/draws/{draw.id}" in mine
    assert tokens[0] in mine
    page = browser.get("/draws").text
    assert "Monday, 2 March 2026, 15:00" in page
    assert "the lottery" in page
    folder = published.draws_dir / str(draw.id)
    folder.mkdir(parents=True)
    (folder / "ranks.txt").write_text(tokens[0])
    (folder / "list.txt").write_text(tokens[0])
    (folder / "manifest.json").write_text(json.dumps({"state": "drawn"}))
    room.keep(parts, NOW)
    assert folder_state(browser) == [True, True]
    assert "ranks.txt" in browser.get(f"/draws/{draw.id}").text
    assert browser.get(f"/draws/{draw.id}/ranks.txt").text == tokens[0]
    for nothing in (f"/draws/{clinic.site_id}/list.txt", f"/draws/{clinic.site_id}"):
        assert browser.get(nothing).status_code == 404


def folder_state(browser):
    """Return whether draws and worker are in the data folder that the web reads."""
    ready = browser.get("/readyz")
    assert ready.status_code == 200
    return [
        ready.json["checks"]["database"]["draws_here"],
        ready.json["checks"]["folder"]["worker"],
    ]


def draws_code(db):
    return db.scalars(select(make.Programme.code)).one()
