"""A citizen's own appointments, and those of whom they look after: moved, cancelled, kept."""

from __future__ import annotations

import re
from datetime import timedelta

import icalendar
import pytest
from sqlalchemy import select

from healthcert.models import (
    Appointment,
    AuditEvent,
    ClinicSession,
    Person,
    Programme,
    Slot,
)
from tests.certificates import NOW
from tests.factories import add, make_appointment, make_slot
from tests.web.conftest import ALIA, Browser, tell

ON = "sqlite"  # what the database holds is tried on each engine in tests/services

CHILD = {
    "family": "الكناري", "given": "صغيرة", "family_latin": "Kanarian", "given_latin": "Saghira",
    "birth_date": ["1", "6", "2010"], "sex": "female", "identity_kind": "none", "language": "en",
}  # fmt: skip


@pytest.fixture
def own(holder):
    """Return a citizen's browser and the address of their appointment."""
    citizen = holder()
    return citizen, re.search(r"/my/appointments/[0-9a-f-]{36}", citizen.get("/my/").text)[0]


def states(parts):
    with parts.doors.reading() as db:
        rows = db.execute(select(Appointment.slot_id, Appointment.state).order_by(Appointment.id))
        return rows.all()


def test_an_appointment_is_cancelled_after_one_question(own, parts):
    citizen, address = own
    page = citizen.get(f"{address}/cancel").text
    assert "Your place goes to somebody else" in page
    assert states(parts)[0].state == "booked"
    answer = citizen.post(f"{address}/cancel")
    assert "The appointment is cancelled." in citizen.get(answer.location).text
    assert [one.state for one in states(parts)] == ["cancelled"]


def test_an_appointment_is_moved_and_both_times_are_shown_before(own, parts, clinic):
    citizen, address = own
    page = citizen.get(f"{address}/move").text
    assert clinic.slots[0].hex not in page
    assert clinic.slots[2].hex in page
    asked = f"slot={clinic.slots[2].hex}"
    page = citizen.get(f"{address}/move?{asked}&go=1").text
    assert "The new appointment" in page
    assert "The appointment you have" in page
    answer = citizen.post(f"{address}/move?{asked}", page=f"{address}/move?{asked}&go=1")
    assert "The appointment is moved." in citizen.get(answer.location).text
    assert states(parts) == [(clinic.slots[0], "rescheduled"), (clinic.slots[2], "booked")]


def test_who_has_the_next_dose_booked_is_told_what_becomes_of_it(own, parts, clinic):
    citizen, address = own
    assert "Your next dose" not in citizen.get(f"{address}/move").text
    with parts.doors.transaction() as db:
        mine = db.scalars(select(Appointment)).one()
        slot = make_slot(db, session=db.get_one(ClinicSession, db.get_one(Slot, mine.slot_id)
                         .session_id), starts_at=NOW + timedelta(days=22), booked=1)  # fmt: skip
        make_appointment(
            db, slot=slot, person=db.get_one(Person, mine.person_id), dose_number=2,
            programme=db.get_one(Programme, mine.programme_id),
        )  # fmt: skip
    asked = f"slot={clinic.slots[2].hex}&go=1"
    for page in (f"{address}/move", f"{address}/move?{asked}", f"{address}/cancel"):
        assert "Your next dose" in citizen.get(page).text, page


def test_a_second_dose_is_moved_to_its_days_and_another_day_can_be_asked_for(holder, parts, clinic):
    with parts.doors.transaction() as db:
        first = db.get_one(ClinicSession, db.get_one(Slot, clinic.slots[0]).session_id)
        of = {name: getattr(first, name) for name in ("site_id", "programme_id", "product_id")}
        days = [first.day + timedelta(days=ahead) for ahead in (5, 5, 9)]
        sessions = {day: add(db, ClinicSession(day=day, state="published", recorded_at=NOW, **of))
                    for day in {*days}}  # fmt: skip
        later = [
            make_slot(
                db, session=sessions[day], starts_at=NOW + (day - first.day) + timedelta(hours=at)
            ).id
            for at, day in enumerate(days)
        ]
    clinic.slots.append(later[0])
    citizen = holder(slot=3, dose=2)
    address = re.search(r"/my/appointments/[0-9a-f-]{36}", citizen.get("/my/").text)[0]
    page = citizen.get(f"{address}/move").text
    assert later[1].hex in page
    assert clinic.slots[1].hex not in page, "before it is due"
    asked = f"since={days[2].day}&since={days[2].month}&since={days[2].year}"
    page = citizen.get(f"{address}/move?{asked}").text
    assert later[2].hex in page
    assert later[1].hex not in page
    page = citizen.get(f"{address}/move?{asked}&go=1&slot={later[2].hex}").text
    assert "Check the new time" in page
    assert citizen.get(f"{address}/move?since=31&since=12&since=9999").status_code == 200
    for going in ("", "&go=1"):
        answer = citizen.get(f"{address}/move?since=40&since=1&since=2026{going}")
        assert answer.status_code == 400
        assert "There is no such day" in answer.text


def test_who_sends_it_twice_is_led_to_how_it_stands(own):
    citizen, address = own
    assert citizen.post(f"{address}/cancel").status_code == 303
    answer = citizen.post(f"{address}/cancel", page="/my/record")
    assert answer.status_code == 409
    assert re.search(r'<a href="/my/"[^>]+button', answer.text)


def test_a_time_that_was_taken_meanwhile_keeps_the_old_place(own, book, parts, clinic):
    citizen, address = own
    page = f"{address}/move?slot={clinic.slots[1].hex}&go=1"
    token = {"csrf_token": re.search(r'csrf_token" value="([^"]+)', citizen.get(page).text)[1]}
    for number in (1, 2):
        book(slot=1, identity_value=f"M{number}")
    answer = citizen.client.post(f"{address}/move?slot={clinic.slots[1].hex}", data=token)
    assert answer.status_code == 409
    assert "This time has just been taken" in answer.text
    assert clinic.slots[2].hex in answer.text
    assert states(parts)[0] == (clinic.slots[0], "booked")


def test_an_appointment_goes_into_a_calendar_without_naming_the_vaccine(own):
    citizen, address = own
    file = citizen.get(f"{address}/appointment.ics")
    [event] = icalendar.Calendar.from_ical(file.data).walk("VEVENT")
    assert "Harbour" in event["summary"]
    assert "Comirnaty" not in file.text
    assert "COVID" not in file.text
    assert event["dtstart"].dt.tzinfo is not None


def test_nobody_reaches_the_appointment_of_another(own, holder):
    _citizen, address = own
    other = holder(identity_value="Z9", slot=1)
    for page in ("cancel", "move", "appointment.ics"):
        assert other.get(f"{address}/{page}").status_code == 404
    assert other.post(f"{address}/cancel", page="/my/").status_code == 404


@pytest.fixture
def mother(holder, clinic):
    """Return a mother's browser, with a child on record, and the address of two places."""
    citizen = holder(slot=1)
    assert citizen.post("/my/family/child", CHILD).status_code == 303
    return citizen, f"?slot={clinic.slots[2].hex}.{clinic.slots[2].hex}&second=later&draft=0"


def choices(page):
    return re.findall(r'name="person" type="radio" value="([0-9a-f-]{36})"', page)


def test_a_mother_books_for_her_child_by_the_record_and_types_nothing(mother, parts, clinic):
    citizen, _asked = mother
    asked = f"?slot={clinic.slots[0].hex}&second=later&draft=0"
    page = citizen.get(f"/book/who{asked}").text
    assert "Myself" in page
    assert "صغيرة" in page
    me, child = choices(page)
    answer = citizen.post(f"/book/who{asked}&number=1", {"person": child})
    assert "/book/check" in answer.location
    assert "صغيرة الكناري" in citizen.get(answer.location).text
    assert citizen.post(f"/book/check{asked}").status_code == 303
    with parts.doors.reading() as db:
        made = db.scalars(select(Appointment).order_by(Appointment.id.desc())).first()
        [act] = db.scalars(
            select(AuditEvent).filter_by(act="appointment_booked", subject_id=made.id)
        )
    assert str(made.person_id) == child
    assert str(act.actor_id) == me
    page = citizen.get("/my/family/").text
    assert made.reference[:7] in page


def test_nobody_is_proposed_twice_and_others_can_be_added(mother):
    citizen, asked = mother
    _me, child = choices(citizen.get(f"/book/who{asked}").text)
    citizen.post(f"/book/who{asked}&number=1", {"person": child})
    assert child not in choices(citizen.get(f"/book/who{asked}&number=2").text)
    answer = citizen.post(f"/book/who{asked}&number=2", {"person": "new"})
    assert "step=name" in answer.location
    tell(citizen, asked, ALIA | {"identity_value": "F7"}, number=2)
    page = citizen.get(f"/book/check{asked}").text
    assert "صغيرة" in page
    assert "F7" in page


def test_only_who_may_be_booked_for_can_be_named(mother, holder):
    citizen, asked = mother
    other = holder(identity_value="Y1", slot=0)
    [stranger] = choices(other.get(f"/book/who{asked}").text)
    assert citizen.post(f"/book/who{asked}&number=1", {"person": stranger}).status_code == 400


def test_whose_record_is_open_is_proposed_first(mother):
    citizen, asked = mother
    look = re.search(r"/my/family/look-after/[0-9a-f-]+", citizen.get("/my/family/").text)[0]
    citizen.post(look, page="/my/family/")
    page = citizen.get(f"/book/who{asked}").text
    _me, child = choices(page)
    assert re.search(rf'value="{child}" checked', page)


def test_a_dose_not_due_is_told_to_whose_record_it_is(holder, clinic):
    citizen = holder()
    asked = f"?slot={clinic.slots[1].hex}&dose=1&second=later&draft=0"
    [me] = choices(citizen.get(f"/book/who{asked}").text)
    answer = citizen.post(f"/book/who{asked}", {"person": me})
    assert answer.status_code == 409


def test_the_kept_decision_answers_whether_it_is_ones_turn(holder):
    citizen = holder()
    page = citizen.get("/my/why").text
    assert "Yes: it is open to you." in page
    assert "Everybody" in page


def test_without_scripts_or_account_a_booking_is_found_by_its_reference(own, app):
    assert Browser(app).get(f"{own[1]}/move").status_code == 303
