"""Test results and recoveries: facts that stand from the first, and are marked once."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from healthcert import models
from healthcert.db import Doors, migrate
from healthcert.models import Certificate, Recovery, RecoveryStanding
from tests import factories as make
from tests.factories import NEGATIVE, NOW, POSITIVE, TODAY, day
from tests.models.refusals import refused
from tests.threads import one_behind_the_other

MAKERS = {"test_result": make.make_test, "recovery": make.make_recovery}
STANDINGS = {"test_result": models.TestStanding, "recovery": RecoveryStanding}
KINDS = pytest.mark.parametrize("kind", list(MAKERS))
RAPID = "LP217198-3"


def counts(db: Session, kind: str, finding) -> str:
    return db.get_one(STANDINGS[kind], finding.id, populate_existing=True).counts


def mark(db: Session, kind: str, finding, **values) -> None:
    marked = {
        "counts": "entered_in_error", "marked_at": NOW, "reason": "not_done",
        "marked_by": finding.recorded_by, **values,
    }  # fmt: skip
    if kind == "recovery":
        marked |= {"test_counts": None}
    table = STANDINGS[kind].__table__
    where = table.c[f"{kind}_id"] == finding.id
    db.execute(update(table).where(where).values(marked))


@pytest.mark.parametrize(
    ("values", "stands"),
    [
        ({}, "valid"),
        ({"result": POSITIVE}, "positive"),
        ({"test_type": RAPID, "device": "1232"}, "valid"),
        ({"test_type": RAPID}, "unknown"),
        ({"test_type": RAPID, "result": POSITIVE}, "unknown"),
        ({"evidence": "stated", "country": "FR"}, "unknown"),
        ({"evidence": "seen", "country": "FR"}, "valid"),
    ],
)
def test_a_test_stands_as_its_row_says(db, values, stands):
    assert counts(db, "test_result", make.make_test(db, **values)) == stands


@pytest.mark.parametrize(
    ("values", "stands"),
    [({}, "valid"), ({"evidence": "stated", "country": "FR"}, "unknown")],
)
def test_a_recovery_stands_as_its_row_says(db, values, stands):
    assert counts(db, "recovery", make.make_recovery(db, **values)) == stands


@KINDS
def test_a_standing_is_written_by_the_fact_alone(db, kind):
    finding = MAKERS[kind](db, evidence="stated", country="FR")
    values = {f"{kind}_id": finding.id, "counts": "valid", "reason": ""}
    with refused(db, f"pk_{kind.partition('_')[0]}_standing"):
        db.execute(insert(STANDINGS[kind].__table__).values(values))
    with refused(db, "finding_moves"):
        db.execute(update(STANDINGS[kind]).values(counts="valid"))
    with refused(db, "never_deleted"):
        db.execute(delete(STANDINGS[kind]))


@KINDS
def test_a_finding_is_marked_once_and_for_good(db, kind):
    finding = MAKERS[kind](db)
    mark(db, kind, finding)
    assert counts(db, kind, finding) == "entered_in_error"
    with refused(db, "finding_moves"):
        mark(db, kind, finding, reason="other")
    with refused(db, "finding_moves"):
        mark(db, kind, finding, counts="valid", marked_at=None, marked_by=None, reason="")


@KINDS
@pytest.mark.parametrize("missing", [{"marked_at": None}, {"marked_by": None}, {"reason": ""}])
def test_a_mark_says_who_when_and_why(db, kind, missing):
    finding = MAKERS[kind](db)
    with refused(db, f"ck_{STANDINGS[kind].__tablename__}_marked"):
        mark(db, kind, finding, **missing)


@KINDS
def test_what_replaces_a_finding_is_written_once_that_one_is_marked(db, kind):
    person = make.make_person(db)
    wrong = MAKERS[kind](db, person=person)
    with refused(db, "finding_stands"):
        MAKERS[kind](db, person=person, replaces=wrong.id)
    mark(db, kind, wrong)
    with refused(db, "foreign_key"):
        MAKERS[kind](db, replaces=wrong.id)
    MAKERS[kind](db, person=person, replaces=wrong.id)
    with refused(db, f"uq_{kind}_replaces"):
        MAKERS[kind](db, person=person, replaces=wrong.id)


@KINDS
@pytest.mark.parametrize(
    "lie", [{"country": "FR"}, {"evidence": "seen"}, {"evidence": "stated", "country": None}]
)
def test_a_finding_is_our_own_or_of_elsewhere(db, kind, lie):
    with refused(db, f"ck_{kind}_here_or_elsewhere"):
        MAKERS[kind](db, **lie)


@pytest.mark.parametrize(
    ("lie", "rule"),
    [
        ({"test_type": "PCR"}, "test_type"),
        ({"result": "maybe"}, "result"),
        ({"device": "1232"}, "device"),
        ({"sampled_at": NOW.replace(hour=23)}, "sampled_before_recorded"),
        ({"evidence": "hearsay", "country": "FR"}, "evidence"),
    ],
)
def test_a_test_is_told_in_the_codes_of_the_value_sets(db, lie, rule):
    with refused(db, f"ck_test_result_{rule}"):
        make.make_test(db, **lie)


@pytest.mark.parametrize(
    ("lie", "rule"),
    [
        ({"first_positive_on": day(1), "valid_from": day(12)}, "found_before_recorded"),
        ({"valid_from": day(-20)}, "validity"),
        ({"valid_until": day(-10)}, "validity"),
    ],
)
def test_a_recovery_holds_after_it_was_found(db, lie, rule):
    with refused(db, f"ck_recovery_{rule}"):
        make.make_recovery(db, **lie)


def test_a_recovery_is_founded_on_a_positive_test_of_the_same_person(db):
    person = make.make_person(db)
    tests = [make.make_test(db, person=person, result=each) for each in (NEGATIVE, POSITIVE)]
    with refused(db, "foreign_key"):
        make.make_recovery(db, person=person, test_result_id=tests[0].id)
    with refused(db, "foreign_key"):
        make.make_recovery(db, test_result_id=tests[1].id)
    recovery = make.make_recovery(db, person=person, test_result_id=tests[1].id)
    with refused(db, "foreign_key"):
        mark(db, "test_result", tests[1])
    mark(db, "recovery", recovery)
    mark(db, "test_result", tests[1])


def test_a_recovery_that_was_found_here_names_a_test(db):
    person = make.make_person(db)
    for values in ({}, {"replaces": make.make_recovery(db, person=person).id}):
        with refused(db, "recovery_founded"):
            make.make_recovery(db, person=person, test_result_id=None, **values)
    for evidence in ("seen", "stated", "verified"):
        make.make_recovery(db, person=person, evidence=evidence, country="FR")
    gone = make.make_test(db, person=person, result=POSITIVE)
    mark(db, "test_result", gone)
    with refused(db, "foreign_key"):
        make.make_recovery(db, person=person, test_result_id=gone.id)


def test_a_recovery_of_before_that_names_no_test_outlives_the_step(doors: Doors, database_url):
    on = " ON recovery" if doors.engine.dialect.name == "postgresql" else ""
    with doors.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER recovery_founded{on}")
    with doors.transaction() as db:
        old = make.make_recovery(db, test_result_id=None)
    migrate(database_url)
    with doors.transaction() as db:
        assert db.get_one(Recovery, old.id).test_result_id is None
        with refused(db, "recovery_founded"):
            make.make_recovery(db, test_result_id=None)


def test_a_recovery_that_stands_does_not_let_its_test_go(db):
    person = make.make_person(db)
    test = make.make_test(db, person=person, result=POSITIVE)
    make.make_recovery(db, person=person, test_result_id=test.id)
    with refused(db, "finding_moves"):
        db.execute(update(RecoveryStanding).values(test_counts=None))
    for columns in ({"test_counts": "positive"}, {"test_counts": None, "test_result_id": None}):
        values = {"counts": "entered_in_error", "marked_at": NOW, "reason": "x"}
        with refused(db, "ck_recovery_standing_holds_its_test", "finding_moves"):
            db.execute(
                update(RecoveryStanding).values(marked_by=test.recorded_by, **values | columns)
            )


@pytest.mark.parametrize(
    "values", [{"result": POSITIVE}, {"test_type": RAPID}, {"evidence": "stated", "country": "FR"}]
)
def test_a_test_that_is_positive_or_not_proved_is_not_certified(db, values):
    test = make.make_test(db, **values)
    with refused(db, "foreign_key"):
        make.make_finding_certificate(db, of=test)


def test_a_recovery_that_is_only_stated_is_not_certified(db):
    recovery = make.make_recovery(db, evidence="stated", country="FR")
    with refused(db, "foreign_key"):
        make.make_finding_certificate(db, of=recovery)


@KINDS
def test_a_certificate_is_revoked_before_its_finding_is_marked(db, kind):
    finding = MAKERS[kind](db)
    certificate = make.make_finding_certificate(db, of=finding, **make.issued())
    with refused(db, "foreign_key"):
        mark(db, kind, finding)
    db.execute(
        update(Certificate)
        .where(Certificate.id == certificate.id)
        .values(state="revoked", standing_counts=None, revoked_at=NOW)
    )
    mark(db, kind, finding)
    with refused(db, "foreign_key"):
        make.make_finding_certificate(db, of=finding)


@KINDS
def test_a_finding_has_one_live_certificate_and_it_is_its_persons(db, kind):
    finding = MAKERS[kind](db)
    with refused(db, "foreign_key"):
        make.make_finding_certificate(db, of=finding, person_id=make.make_person(db).id)
    with refused(db, "foreign_key"):
        make.make_finding_certificate(db, of=finding, disease="6142004")
    make.make_finding_certificate(db, of=finding)
    with refused(db, f"one_live_{kind.partition('_')[0]}_certificate"):
        make.make_finding_certificate(db, of=finding)


def test_a_certificate_states_exactly_one_fact(db):
    test = make.make_test(db)
    recovery = make.make_recovery(db, person=db.get_one(models.Person, test.person_id))
    for ids in ({"recovery_id": recovery.id}, {"test_result_id": None}):
        with refused(db, "ck_certificate_one_fact"):
            make.make_finding_certificate(db, of=test, **ids)


def test_a_certificate_has_a_number_where_it_states_a_dose(db):
    with refused(db, "ck_certificate_dose_has_number"):
        make.make_finding_certificate(db, of=make.make_test(db), dn=1, sd=2)
    for half in ({"dn": None}, {"sd": None}):
        with refused(db, "ck_certificate_dose_has_number"):
            make.make_certificate(db, dose=make.make_counted_dose(db), **half)


@KINDS
@pytest.mark.parametrize("first", ["certify", "mark"])
def test_certifying_and_marking_at_once_lets_one_in(doors: Doors, kind, first):
    with doors.transaction() as db:
        finding = MAKERS[kind](db)
    ways = {
        "certify": lambda db: make.make_finding_certificate(db, of=finding),
        "mark": lambda db: mark(db, kind, finding),
    }
    second = next(way for way in ways if way != first)
    assert one_behind_the_other(doors, ways[first], ways[second]) == ["foreign_key"]
    with doors.reading() as db:
        stands = counts(db, kind, finding)
        assert (stands == "valid") == bool(db.scalars(select(Certificate)).all())


def test_a_recovery_and_the_mark_of_its_test_at_once_let_one_in(doors: Doors):
    with doors.transaction() as db:
        person, staff = make.make_person(db), make.make_staff(db)
        test = make.make_test(db, person=person, result=POSITIVE, recorded_by=staff.id)
    refusals = one_behind_the_other(
        doors,
        lambda db: mark(db, "test_result", test),
        lambda db: make.make_recovery(
            db, person=person, test_result_id=test.id, recorded_by=staff.id
        ),
    )
    assert refusals == ["foreign_key"]
    with doors.reading() as db:
        assert not db.scalars(select(Recovery)).all()
        assert test.recorded_on == TODAY
