"""Every refusal of the database has one name on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from healthcert.models.broken import broken_rule
from tests import factories as make


def two_sites(db, name):
    site = make.make_site(db)
    db.expunge(site)
    make.make_site(db, **{name: getattr(site, name)})


def two_appointments(db):
    person, programme = make.make_person(db), make.make_programme(db)
    for hours in (0, 2):
        slot = make.make_slot(db, starts_at=make.NOW + timedelta(hours=hours))
        make.make_appointment(db, slot=slot, person=person, programme=programme)


CASES = {
    "ck_person_sex": lambda db: make.make_person(db, sex="yes"),
    "uq_site_code": lambda db: two_sites(db, "code"),
    "pk_site": lambda db: two_sites(db, "id"),
    "one_active_appointment": two_appointments,
    "foreign_key": lambda db: make.make_slot(db, session_id=make.new_id()),
    "not_null": lambda db: make.make_person(db, birth_year=None),
    "judgement_stands": lambda db: make.make_judgement(
        db, dose=make.make_dose(db), ordinal=2, counts="unknown"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_rule_that_refused_is_named(db, name):
    with pytest.raises(IntegrityError) as caught:
        CASES[name](db)
    assert broken_rule(caught.value) == name
