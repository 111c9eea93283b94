"""A second disease by data alone: loaded, booked, recorded, judged, foreseen; no line of Python."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from healthcert.data import knowledge as files
from healthcert.errors import NotEligible
from healthcert.models import Product, Programme
from healthcert.policy.prompts import prompts
from healthcert.services import history, knowledge
from healthcert.services.booking import NotDue
from healthcert.services.statement import diseases, products
from tests.factories import NOW, day
from tests.services.clinic import Clinic, details

FOLDER = Path(__file__).parent.parent / "data" / "yellow_fever"
STAMARIL = "J07BL01"
BORN = "1980-05-17"
APRIL = day(30)


@pytest.fixture
def fever(clinic: Clinic) -> Clinic:
    """A clinic that gives what the folder says."""
    more = [
        source for kind in ("vaccine", "programme") for source in files.sources_in(FOLDER, kind)
    ]
    with clinic.doors.transaction() as db:
        assert knowledge.load(db, now=NOW, more=more, languages=("en", "fr", "ar")) == 2
        programme = db.scalars(select(Programme).filter_by(code="yellow-fever")).one()
        products = {product.code: product for product in db.scalars(select(Product))}
    return replace(clinic, programme=programme, products=products)


def outlook(fever: Clinic, person_id, today):
    with fever.doors.reading() as db:
        return history.outlook(
            db, person_id=person_id, birth_date=BORN, programme_id=fever.programme.id, today=today
        )


def test_a_dose_is_booked_recorded_and_counts_for_life(fever):
    fever.lot(product=STAMARIL)
    appointment = fever.book(fever.slot(APRIL, product=STAMARIL), details(birth_date=BORN))
    assert outlook(fever, appointment.person_id, day(0)).state == "not_started"
    dose = fever.record(appointment, product=STAMARIL)
    assert fever.counts(dose) == ("valid", 1)
    found = outlook(fever, dose.person_id, APRIL + timedelta(days=20_000))
    assert (found.state, found.next, found.until) == ("complete", None, None)
    assert found.since == APRIL + timedelta(days=10)
    assert [reason.code for reason in found.reasons] == ["series_complete", "no_booster"]


def test_no_certificate_of_the_union_is_intended_and_the_reason_is_data(fever):
    fever.lot(product=STAMARIL)
    dose = fever.record(fever.book(fever.slot(APRIL, product=STAMARIL)), product=STAMARIL)
    assert fever.certificates(dose) == []
    product = fever.products[STAMARIL]
    assert "16541001" not in diseases()
    assert product.code not in products()


def test_what_is_asked_before_it_stands_in_its_file(fever):
    with fever.doors.reading() as db:
        rule = knowledge.rule_of(db, fever.products[STAMARIL].id)
    found = prompts(rule.questions, age_months=480, sex="male", history=(), answers={})
    assert (found.outcome, found.not_checked) == ("ask", ("egg_allergy",))


def test_a_second_dose_is_not_booked(fever):
    who = details(birth_date=BORN)
    fever.lot(product=STAMARIL)
    fever.record(fever.book(fever.slot(APRIL, product=STAMARIL), who), product=STAMARIL)
    later = fever.slot(day(90), product=STAMARIL)
    with pytest.raises(NotDue):
        fever.book(later, who, dose_number=2)


def test_its_phases_decide_by_where_people_live_and_what_they_do(fever):
    with pytest.raises(NotEligible) as refusal:
        fever.book(fever.slot(day(1), product=STAMARIL))
    assert refusal.value.opens_on is not None
    assert refusal.value.opens_on.isoformat() == "2026-04-01"
    assert refusal.value.group["fr"] == "Tout le monde"


def test_a_baby_may_have_it_from_nine_months(fever):
    slot = fever.slot(day(31), product=STAMARIL)
    nine = day(31).replace(year=2025, month=7, day=2)
    with pytest.raises(NotEligible):
        fever.book(slot, details(birth_date=str(nine + timedelta(days=1))))
    assert fever.book(slot, details(birth_date=str(nine))).state == "booked"
