"""A dose without an appointment: asked for as any other where it is given now, else a fact."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.models import (
    Alarm,
    Appointment,
    AuditEvent,
    Consent,
    Dose,
    Observation,
    Product,
    Screening,
)
from tests.certificates import NOW
from tests.web.test_care import day_of, person_of
from tests.web.test_clinic import given
from tests.web.test_clinic_hour import ALL_NO, CHILD, YES, patient, rows

__all__ = ["patient", "rows"]


@pytest.fixture
def somebody(patient, clinic):
    """Return a nurse, the way to a dose without an appointment, and what the form of it tells."""

    def made(**changes):
        nurse, path = patient(**changes)
        told = given(clinic, product=f"{clinic.programme_id}.{clinic.product_id}")
        return nurse, f"{person_of(nurse, path)}/dose", told

    return made


def unchecked(rows):
    return [told for act, told in rows(AuditEvent.act, AuditEvent.details)
            if act == "dose_not_checked"]  # fmt: skip


def test_a_dose_given_now_is_asked_consent_and_questions_on_its_form(somebody, rows):
    nurse, path, told = somebody()
    page = nurse.get(f"{path}?lang=en").text
    assert "It is given now" in page
    assert "There is a problem" not in page
    assert nurse.get(f"{path}?now=y").status_code == 400
    assert "q_" not in page
    page = nurse.get(f"{path}?product={told['product']}").text
    assert 'name="agrees"' in page
    assert 'name="q_severe_reaction_before"' in page
    dose = nurse.post(path, told | ALL_NO).location
    assert "not checked" not in nurse.get(dose).text
    assert rows(Consent.decision, Consent.decided_by) == [("given", "self")]
    assert rows(Screening.outcome, Screening.appointment_id) == [("go", None)]
    assert rows(Dose.appointment_id) == [(None,)]
    assert unchecked(rows) == []


def test_what_was_asked_holds_for_the_dose_that_is_corrected_and_for_no_later_one(
    somebody, clinic, rows, clock
):
    nurse, path, told = somebody()
    dose = nurse.post(path, told | ALL_NO).location
    clock.pass_by(minutes=2)
    right = nurse.post(f"{dose}/correct", given(clinic, reason="wrong_day")).location
    assert "not checked" not in nurse.get(right).text
    assert 'name="all_no"' in nurse.get(f"{path}?product={told['product']}").text
    later = nurse.post(path, told).location
    assert "Health questions: not checked" in nurse.get(later).text
    assert unchecked(rows)[-1] == {"consent": "given", "screening": "not_checked"}


def test_an_answer_that_asks_for_a_nurse_stops_it_once_and_a_decision_goes_on(somebody, rows):
    nurse, path, told = somebody()
    decide = nurse.post(path, told | YES).location
    assert decide == f"{path.removesuffix('dose')}decision?product={told['product']}"
    assert (rows(Dose.id), rows(Screening.outcome)) == ([], [("ask_clinician",)])
    assert "A nurse has to decide" in nurse.get(decide).text
    go = {"outcome": "go", "reason": "history_clarified"}
    dose = nurse.post(decide, go).location
    assert dose == f"{path}?product={told['product']}"
    assert 'name="all_no"' not in nurse.get(dose).text
    assert nurse.post(path, told).status_code == 303
    assert rows(Observation.until) == [(NOW + timedelta(minutes=30),)]
    assert unchecked(rows) == []


def test_who_is_put_off_without_an_appointment_is_told_and_what_is_too_early_is_given_back(
    somebody, rows, newest_message
):
    nurse, path, told = somebody()
    decide = nurse.post(path, told | YES).location
    until = {"outcome": "defer", "reason": "ill_today", "until": day_of(NOW + timedelta(7))}
    assert nurse.post(decide, until).location == path.removesuffix("/dose")
    assert rows(Appointment.state) == [("cancelled",)]
    assert "9 March 2026" in newest_message("put_off")


def test_what_was_given_already_is_recorded_unasked_even_after_a_refusal(somebody, rows):
    nurse, path, told = somebody()
    page = nurse.get(f"{path}?product={told['product']}&afterwards=y").text
    assert 'name="agrees"' not in page
    assert 'name="q_' not in page
    missing = nurse.post(path, told | {"afterwards": "y"})
    assert (missing.status_code, "fill this in" in missing.text) == (400, True)
    then = {"afterwards": "y", "given_at": (NOW - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")}
    refused = {"decision": "refused", "decided_by": "self", "product": told["product"]}
    consent = f"{path.removesuffix('dose')}consent"
    unsaid = nurse.post(consent, refused, page=path)
    assert (unsaid.status_code, rows(Consent.id)) == (400, [])
    answer = nurse.post(consent, refused | {"cancel_ahead": "no"}, page=path)
    assert answer.location == f"{path}?product={told['product']}"
    assert nurse.post(path, told | ALL_NO).status_code == 409
    assert rows(Dose.id) == []
    dose = nurse.post(path, told | then).location
    assert "Health questions: not checked" in nurse.get(dose).text
    assert unchecked(rows) == [{"consent": "refused", "screening": "not_checked"}]
    assert rows(Alarm.kind) == [("dose_refused",)]


def test_for_a_child_who_may_by_law_agrees_on_the_page_of_the_dose(somebody, rows):
    nurse, path, told = somebody(**CHILD)
    page = nurse.get(f"{path}?product={told['product']}").text
    assert "Nobody who may agree for them was asked yet" in page
    consent, of = f"{path.removesuffix('dose')}consent", {"product": told["product"]}
    alone = nurse.post(consent, of | {"decision": "given", "decided_by": "self"}, page=path)
    assert (alone.status_code, "may not agree for them" in alone.text) == (400, True)
    assert f'action="{path}?product=' in alone.text, "the dose goes where it belongs"
    parent = of | {"decision": "given", "decided_by": "parent", "name": "Umm Kanaria"}
    assert nurse.post(consent, parent, page=path).status_code == 303
    nurse.post(path, told | {"all_no": "y"})
    assert unchecked(rows) == []
    assert rows(Consent.decided_by) == [("parent",)]


@pytest.mark.parametrize("product", ["x", "x.y", "{0}.{0}"])
def test_a_vaccine_that_is_none_is_not_found(somebody, clinic, product):
    nurse, path, _told = somebody()
    product = product.format(clinic.site_id)
    assert nurse.get(f"{path}?product={product}").status_code == 404


def test_another_vaccine_asks_its_own_questions(somebody, clinic, parts, rows):
    nurse, path, told = somebody()
    with parts.doors.reading() as db:
        [other] = db.scalars(select(Product.id).where(Product.name == "Jcovden"))
    nurse.post(path, told | YES)
    product = f"{clinic.programme_id}.{other}"
    page = nurse.get(f"{path}?product={product}").text
    assert 'name="q_capillary_leak_before"' in page
    told |= {"product": product, "lot": "other", "other_lot": "J1"}
    assert nurse.post(path, told | ALL_NO).status_code == 303
    assert unchecked(rows) == []
