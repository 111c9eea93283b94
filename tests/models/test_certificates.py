"""A certificate stands on a dose that counts, or it does not live."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from healthcert.db import Doors
from healthcert.models import Certificate, Dose, DoseStanding
from healthcert.models.certificate import STATES, TRANSITIONS
from tests import factories as make
from tests.factories import COVID, NOW
from tests.models.refusals import refused
from tests.threads import one_behind_the_other

LIVE = ("intended", "issued")


def values_in(state: str) -> dict[str, object]:
    """Return what a certificate carries in a state."""
    values: dict[str, object] = make.issued() if state != "intended" else {}
    values |= {"state": state, "standing_counts": "valid" if state in LIVE else None}
    return values | {"revoked_at": NOW if state == "revoked" else None}


def revoke(db: Session) -> None:
    db.execute(update(Certificate).values(state="revoked", standing_counts=None, revoked_at=NOW))


def uncounted(db: Session) -> Dose:
    dose = make.make_dose(db)
    make.make_judgement(db, dose=dose, counts="too_early")
    return dose


@pytest.mark.parametrize("state", LIVE)
def test_a_dose_that_does_not_count_is_not_certified(db, state):
    dose = uncounted(db)
    with refused(db, "foreign_key"):
        make.make_certificate(db, dose=dose, **values_in(state))
    for half in (None, "too_early"):
        with refused(db, "ck_certificate_live_holds_standing"):
            make.make_certificate(db, dose=dose, **values_in(state) | {"standing_counts": half})


def test_a_certificate_states_the_number_that_the_dose_counts_as(db):
    dose = make.make_counted_dose(db)
    with refused(db, "foreign_key"):
        make.make_certificate(db, dose=dose, dn=2)


def test_a_certificate_is_its_doses_persons(db):
    dose = make.make_counted_dose(db)
    with refused(db, "foreign_key"):
        make.make_certificate(db, dose=dose, person_id=make.make_person(db).id)


def test_a_dose_has_one_live_certificate_toward_a_disease(db):
    dose = make.make_counted_dose(db)
    make.make_certificate(db, dose=dose)
    with refused(db, "one_live_certificate"):
        make.make_certificate(db, dose=dose)
    revoke(db)
    make.make_certificate(db, dose=dose)


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.parametrize(
    "finding",
    [{"counts": "entered_in_error", "reason": "wrong person"}, {"counts": "valid", "number": 2}],
)
def test_a_certificate_is_revoked_before_its_dose_is_judged_anew(db, state, finding):
    dose = make.make_counted_dose(db)
    make.make_certificate(db, dose=dose, **values_in(state))
    validity = make.in_force(db, dose)
    with refused(db, "foreign_key"):
        make.make_judgement(db, dose=dose, validity=validity, ordinal=2, **finding)
    revoke(db)
    make.make_judgement(db, dose=dose, validity=validity, ordinal=2, **finding)
    with refused(db, "certificate_transition"):
        db.execute(update(Certificate).values(state="issued", standing_counts="valid"))


def test_a_finding_that_changes_nothing_leaves_the_certificate_alone(db):
    dose = make.make_counted_dose(db)
    certificate = make.make_certificate(db, dose=dose, **values_in("issued"))
    make.make_judgement(db, dose=dose, validity=make.in_force(db, dose), ordinal=2)
    assert certificate.state == "issued"
    with refused(db, "foreign_key"):
        make.make_judgement(db, dose=dose, ordinal=3, counts="recalled_lot")


@pytest.mark.parametrize("before", STATES)
def test_a_certificate_moves_along_the_listed_transitions_alone(db, before):
    make.make_certificate(db, dose=make.make_counted_dose(db), **values_in(before))
    for after in STATES:
        step = update(Certificate).values(values_in(after))
        if after == before or after in TRANSITIONS.get(before, ()):
            with db.begin_nested() as savepoint:
                db.execute(step)
                savepoint.rollback()
        else:
            with refused(db, "certificate_transition", "certificate_fixed"):
                db.execute(step)


@pytest.mark.parametrize("missing", ["kid", "issued_at", "expires_at", "sealed"])
@pytest.mark.parametrize("state", ["issued", "superseded"])
def test_an_issued_certificate_is_whole(db, state, missing):
    with refused(db, "ck_certificate_issued_is_whole"):
        make.make_certificate(
            db, dose=make.make_counted_dose(db), **values_in(state) | {missing: None}
        )


def test_a_revocation_has_its_time_and_nothing_else_has(db):
    dose = make.make_counted_dose(db)
    for state, moment in (("revoked", None), ("issued", NOW)):
        with refused(db, "ck_certificate_revoked_has_time"):
            make.make_certificate(db, dose=dose, **values_in(state) | {"revoked_at": moment})


def test_a_certificate_is_not_deleted(db):
    make.make_certificate(db, dose=make.make_counted_dose(db))
    with refused(db, "never_deleted"):
        db.execute(delete(Certificate))


@pytest.mark.parametrize("first", ["certify", "judge"])
def test_certifying_and_judging_anew_at_once_lets_one_in(doors: Doors, first):
    with doors.transaction() as db:
        dose = make.make_counted_dose(db)
    ways = {
        "certify": lambda db: make.make_certificate(db, dose=dose, dn=1),
        "judge": lambda db: make.make_judgement(
            db, dose=dose, ordinal=2, counts="recalled_lot", number=None
        ),
    }
    second = next(way for way in ways if way != first)
    assert one_behind_the_other(doors, ways[first], ways[second]) == ["foreign_key"]
    with doors.reading() as db:
        standing = db.get_one(DoseStanding, (dose.id, COVID))
        certified = db.scalars(select(Certificate)).all()
    assert (standing.counts == "valid") == bool(certified) == (first == "certify")
