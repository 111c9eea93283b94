"""A consent that is taken back is a fact: seen at the desk, and asked what becomes of the rest."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.models import (
    Alarm,
    Appointment,
    AuditEvent,
    ClinicSession,
    Consent,
    Dose,
    Offer,
    Slot,
    WaitEntry,
)
from tests.certificates import NOW
from tests.web.test_clinic import given
from tests.web.test_clinic_hour import ALL_NO, BEFORE, patient, rows
from tests.web.test_waiting import free_a_place, joined

__all__ = ["joined", "patient", "rows"]
WITHDRAWN = {"decision": "withdrawn", "decided_by": "self"}


@pytest.fixture
def second(patient, clinic, book, later, parts):
    """Return a nurse, who was given a first dose and has the second booked, and that visit."""
    assert later is None
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | ALL_NO)
    with parts.doors.reading() as db:
        days = select(Slot.id).join(ClinicSession).where(ClinicSession.day > NOW.date())
        clinic.slots.append(db.scalars(days.order_by(Slot.starts_at)).first())
    book(slot=3, dose=2)
    return nurse, path


def states(rows):
    return sorted(rows(Appointment.state))


def test_who_takes_consent_back_is_asked_what_becomes_of_the_second_appointment(second, rows):
    nurse, path = second
    page = nurse.get(path).text
    assert "Is what they have booked or wait for to end too?" in page
    assert "This would end: the appointment of <time" in page
    assert "checked" not in page[page.index("cancel_ahead") :].partition("</form>")[0]
    unsaid = nurse.post(f"{path}/consent", WITHDRAWN, page=path)
    assert (unsaid.status_code, "fill this in" in unsaid.text) == (400, True)
    assert rows(Consent.decision) == [("given",)]
    kept = nurse.post(f"{path}/consent", WITHDRAWN | {"cancel_ahead": "no"}, page=path)
    assert kept.location == path
    assert states(rows) == [("booked",), ("vaccinated",)]
    assert "Still booked in this programme" in nurse.get(path).text


def test_who_may_agree_is_listed_as_the_reader_writes_lists(patient):
    nurse, path = patient()
    assert "الشخص نفسه، " in nurse.get(f"{path}?lang=ar").text


def test_what_they_no_longer_want_is_given_back_and_they_are_told(second, rows, newest_message):
    nurse, path = second
    gone = WITHDRAWN | {"cancel_ahead": "yes"}
    assert nurse.post(f"{path}/consent", gone, page=path).status_code == 303
    assert states(rows) == [("cancelled",), ("vaccinated",)]
    assert newest_message("cancelled")
    assert "Still booked" not in nurse.get(path).text


@pytest.fixture
def offered(joined, parts, clinic, staff, rows):
    """Return a nurse, and how she writes down what somebody says who is offered a place only."""
    joined()
    free_a_place(parts, clinic)
    [(person,)] = rows(WaitEntry.person_id)
    nurse, way = staff("nurse"), f"/clinic/people/{person}"
    nurse.post("/clinic/people/", {"text": "Kanarian", "born": ["27", "3", "1985"]})
    product = {"product": f"{clinic.programme_id}.{clinic.product_id}"}
    page = f"{way}/dose?product={product['product']}"

    def say(decision, **more):
        told = {"decision": decision, "decided_by": "self"} | product | more
        return nurse.post(f"{way}/consent", told, page=page)

    return nurse, page, say


def test_who_only_waits_is_asked_too_and_what_they_keep_stands(offered, rows):
    nurse, page, say = offered
    both = "This would end: their place on the waiting list · the place that is offered to them."
    assert both in nurse.get(page).text
    assert say("given").status_code == 303
    assert say("refused").status_code == 400
    assert rows(Consent.decision) == [("given",)]
    assert say("refused", cancel_ahead="no").status_code == 303
    assert (rows(WaitEntry.state), rows(Offer.state)) == ([("offered",)], [("open",)])
    assert "Still on the waiting list of this programme" in nurse.get(page).text


def test_a_wait_ends_with_the_consent_where_they_want_it_and_its_offer_goes_to_the_next(
    offered, clinic, rows, newest_message
):
    nurse, page, say = offered
    assert say("refused", cancel_ahead="yes").status_code == 303
    assert (rows(WaitEntry.state), rows(Offer.state)) == ([("left",)], [("declined",)])
    assert newest_message("waiting_left")
    done = {act: who for act, who in rows(AuditEvent.act, AuditEvent.actor_id)}  # noqa: C416
    assert done["waiting_left"] == clinic.staff["nurse"]
    assert "waiting list" not in nurse.get(page).text
    assert say("refused").status_code == 303  # there is nothing to ask any more


def test_the_desk_sees_on_the_day_that_they_no_longer_agree_and_nothing_is_given_so(
    patient, clinic, rows
):
    nurse, path = patient()
    nurse.post(f"{path}/consent", {"decision": "given", "decided_by": "self"}, page=path)
    day = nurse.get("/clinic/").text
    assert ("No longer agreed" in day, f"{path}/dose" in day) == (False, True)
    nurse.post(f"{path}/consent", WITHDRAWN, page=path)
    day = nurse.get("/clinic/").text
    assert ("No longer agreed" in day, f"{path}/dose" in day) == (True, False)
    assert "Before a dose a new consent is needed" in nurse.get(path).text
    refused = nurse.post(f"{path}/dose", given(clinic) | ALL_NO)
    assert (refused.status_code, rows(Dose.id)) == (409, [])
    assert 'name="afterwards"' in refused.text
    nurse.post(f"{path}/consent", {"decision": "given", "decided_by": "self"}, page=path)
    assert nurse.post(f"{path}/dose", given(clinic) | ALL_NO).status_code == 303
    assert rows(Alarm.kind) == []


def test_what_was_given_all_the_same_is_a_fact_and_raises_an_alarm(patient, clinic, rows):
    nurse, path = patient()
    nurse.post(f"{path}/consent", {"decision": "refused", "decided_by": "self"}, page=path)
    assert nurse.post(f"{path}/dose", given(clinic, **BEFORE)).status_code == 303
    assert rows(Alarm.kind) == [("dose_refused",)]
