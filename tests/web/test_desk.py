"""The desk books for people on the telephone and for who stands there."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from healthcert.data import knowledge as files
from healthcert.models import Appointment, AuditEvent, Slot
from healthcert.services import knowledge
from tests import factories
from tests.certificates import NOW
from tests.web.conftest import ALIA, Browser, tell

ON = "sqlite"  # what the database holds is tried on each engine in tests/services

DOOR = "/clinic/book"


@pytest.fixture
def asked(clinic):
    return f"?source=walk_in&slot={clinic.slots[0].hex}&second=later"


def made(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Appointment).order_by(Appointment.id)).all()


def newcomer(browser, asked, **changes):
    """Look for somebody who is not on record, and write them down."""
    sought = {"text": "Nobody Atall", "born": ["", "", "1950"]}
    answer = browser.post(f"{DOOR}/find{asked}", sought)
    assert answer.status_code == 303, answer.text
    assert "Nobody on record fits that." in browser.get(answer.location).text
    answer = browser.post(answer.location, {"person": "new"})
    assert "step=name" in answer.location
    return tell(browser, asked, ALIA | changes, door=DOOR)


def test_a_walk_in_stands_on_the_day_list_as_arrived(staff, parts, asked):
    clerk = staff("clerk")
    page = newcomer(clerk, asked).location
    assert f"{DOOR}/check" in page
    assert clerk.post(f"{DOOR}/check{asked}").status_code == 303
    [one] = made(parts)
    assert (one.state, one.source) == ("arrived", "walk_in")
    slip = clerk.get(f"{DOOR}/done").text
    assert "HC-" in slip
    assert str(one.id) in slip
    assert "Arrived" in clerk.get("/clinic/").text
    with parts.doors.reading() as db:
        [event] = db.scalars(select(AuditEvent).filter_by(act="appointment_booked"))
        assert event.actor_kind == "staff"


def test_somebody_on_record_is_found_first_and_nothing_is_typed_again(staff, book, parts, clinic):
    book()
    clerk = staff("clerk")
    asked = f"?source=phone&slot={clinic.slots[1].hex}&dose=2&second=later"
    answer = clerk.post(f"{DOOR}/find{asked}", {"text": "Kanaria", "born": ["", "", "1985"]})
    page = clerk.get(answer.location).text
    assert "<bdi>كنارية الكناري</bdi> · <bdi>27 March 1985</bdi>" in page
    person = re.search(r'name="person" type="radio" value="([0-9a-f-]{36})"', page)[1]
    clerk.post(answer.location, {"person": person})
    with parts.doors.reading() as db:
        seen = db.scalars(select(AuditEvent).filter_by(act="record_seen")).all()
        assert str(seen[0].subject_id) == person
    stranger = "01890000-0000-7000-8000-000000000000"
    clerk.post(f"{DOOR}/find{asked}", {"text": "Kanaria", "born": ["", "", "1985"]})
    assert clerk.post(answer.location, {"person": stranger}).status_code == 400


def test_the_desk_draws_from_the_places_kept_for_it(app, staff, parts, clinic, asked):
    with parts.doors.transaction() as db:
        db.execute(update(Slot).values(kept_walk_in=2))
    given = f"programme={clinic.programme_id}&dose=1&people=1"
    public = Browser(app).get(f"/book/slots?{given}&town=jabal").text
    assert 'name="slot" type="radio"' not in public
    clerk = staff("clerk")
    page = clerk.get(f"{DOOR}/slots?{given}&source=walk_in").text
    assert clinic.slots[0].hex in page
    newcomer(clerk, asked)
    assert clerk.post(f"{DOOR}/check{asked}").status_code == 303
    assert [one.pool for one in made(parts)] == ["walk_in"]


def test_a_desk_books_for_its_own_site_alone(staff, parts):
    with parts.doors.transaction() as db:
        slot = factories.make_slot(
            db, session=factories.make_session(db), starts_at=NOW + timedelta(hours=2)
        )
        other = f"?source=phone&slot={slot.id.hex}&second=later"
    clerk = staff("clerk")
    assert newcomer(clerk, other).status_code == 404
    assert made(parts) == []


def test_a_nurse_takes_somebody_out_of_turn_with_a_reason_and_a_clerk_does_not(staff, parts, asked):
    with parts.doors.transaction() as db:
        source = files.sources("programme")[0]
        opens = NOW.date() + timedelta(days=40)
        phase = source.content["phases"][0] | {"opens_on": str(opens)}
        changed = replace(source, content=source.content | {"phases": [phase]}, sha256="later")
        knowledge.load(db, now=NOW, more=[changed])
    clerk, nurse = staff("clerk"), staff("nurse")
    assert "out of turn" not in newcomer(clerk, asked).text
    reason, page = {"reason": "medical_need"}, f"{DOOR}/find{asked}"
    assert clerk.post(f"{DOOR}/hold{asked}", reason, page=page).status_code == 403

    assert "Take them out of turn" in newcomer(nurse, asked, identity_value="B2").text
    answer = nurse.post(f"{DOOR}/hold{asked}", reason, page=page)
    assert nurse.get(answer.location).status_code == 200
    assert nurse.post(f"{DOOR}/check{asked}").status_code == 303
    with parts.doors.reading() as db:
        [event] = db.scalars(select(AuditEvent).filter_by(act="eligibility_exception"))
        assert event.details["reason"] == "medical_need"


def test_the_desks_draft_is_apart_from_a_citizens(staff, asked):
    clerk = staff("clerk")
    newcomer(clerk, asked)
    assert "KANARI" not in clerk.get(f"/book/details{asked}&number=1&step=document").text
    assert "KANARI" in clerk.get(f"{DOOR}/details{asked}&number=1&step=document").text


def test_nobody_but_the_sites_staff_enters(app, staff, holder, asked):
    assert Browser(app).get(f"{DOOR}/").status_code == 303
    assert holder().get(f"{DOOR}/find{asked}").status_code == 403
    assert staff("admin").get(f"{DOOR}/").status_code == 403


def test_two_things_must_be_known_before_anybody_is_looked_for(staff, asked):
    answer = staff("clerk").post(f"{DOOR}/find{asked}", {"text": "Kanaria"})
    assert answer.status_code == 400
    assert "Date of birth: fill this in" in answer.text
