"""A consent that is taken back is a fact: seen at the desk, and asked what becomes of the rest."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.models import Alarm, Appointment, ClinicSession, Consent, Dose, Slot
from tests.certificates import NOW
from tests.web.test_clinic import given
from tests.web.test_clinic_hour import ALL_NO, BEFORE, patient, rows

__all__ = ["patient", "rows"]
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
    assert "Are their appointments to come to be cancelled too?" in page
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
