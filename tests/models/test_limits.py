"""Counters, alarms, certificates that wait and sites on probation: what the database holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, update

from healthcert.models import Alarm, Certificate, CertificateHold, LimitCounter, SiteProbation
from tests import factories as make
from tests.factories import NOW
from tests.models.refusals import refused

TABLE = {"name": "tested", "key": b"k" * 32, "ends_at": NOW, "count": 1}


def make_hold(db, dose, **values):
    told = {
        "recorded_at": NOW, "fact_id": dose.id, "why": "cap", "recorded_by": dose.recorded_by,
    }  # fmt: skip
    return make.add(db, CertificateHold(**told | values))


def make_alarm(db, **values):
    told = {"kind": "certify", "subject_kind": "staff", "recorded_at": NOW, "state": "open"}
    return make.add(db, Alarm(**told | {"subject_id": make.make_staff(db).id} | values))


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"count": 0}, "ck_limit_counter_count"),
        ({"key": b"07700900123"}, "ck_limit_counter_key_is_a_digest"),
    ],
)
def test_a_counter_counts_and_its_key_is_a_digest(db, wrong, rule):
    with refused(db, rule):
        db.execute(insert(LimitCounter).values(TABLE | wrong))
    db.execute(insert(LimitCounter).values(TABLE))


def test_nothing_held_is_issued_by_an_update_or_at_once(db):
    dose = make.make_counted_dose(db)
    certificate = make.make_certificate(db, dose=dose)
    held = make_hold(db, dose)
    issue = update(Certificate).where(Certificate.id == certificate.id).values(make.issued())
    with refused(db, "certificate_held"):
        db.execute(issue)
    other = make.make_counted_dose(db)
    make_hold(db, other, why="withdrawn")
    with refused(db, "certificate_held"):
        make.make_certificate(db, dose=other, **make.issued())
    held.released_by, held.released_at = make.make_admin(db).id, NOW
    db.flush()
    db.execute(issue)


def test_one_of_two_holds_is_enough_to_wait(db):
    dose = make.make_counted_dose(db)
    make.make_certificate(db, dose=dose)
    make_hold(db, dose, released_by=make.make_admin(db).id, released_at=NOW)
    make_hold(db, dose, why="probation")
    with refused(db, "certificate_held"):
        db.execute(update(Certificate).values(make.issued()))


def test_what_is_held_may_still_be_revoked_and_what_is_out_still_change(db):
    dose, other = make.make_counted_dose(db), make.make_counted_dose(db)
    make.make_certificate(db, dose=dose)
    out = make.make_certificate(db, dose=other, **make.issued())
    for each in (dose, other):
        make_hold(db, each)
    this = update(Certificate).where(Certificate.id == out.id)
    db.execute(this.values(state="issued"))
    over = {"state": "revoked", "standing_counts": None, "revoked_at": NOW}
    db.execute(update(Certificate).values(over))


def test_a_fact_waits_once_for_a_reason_and_another_than_its_author_releases_it(db):
    dose = make.make_dose(db)
    make_hold(db, dose)
    with refused(db, "uq_certificate_hold_fact_id_why"):
        make_hold(db, dose)
    with refused(db, "ck_certificate_hold_why"):
        make_hold(db, dose, why="fun")
    for values, rule in (
        ({"released_by": dose.recorded_by, "released_at": NOW}, "released_by_another"),
        ({"released_at": NOW}, "released_has_time"),
        ({"released_by": make.make_admin(db).id}, "released_has_time"),
    ):
        with refused(db, f"ck_certificate_hold_{rule}"):
            db.execute(update(CertificateHold).values(values))
    with refused(db, "never_deleted"):
        db.execute(delete(CertificateHold))


def test_a_site_is_released_by_two_officers_one_after_the_other(db):
    one, other = make.make_admin(db), make.make_admin(db)
    told = {"recorded_at": NOW, "site_id": make.make_site(db).id}
    row = make.add(db, SiteProbation(**told))
    change = update(SiteProbation)
    for values in (
        {"confirmed_by": other.id},
        {"released_by": one.id, "confirmed_by": one.id},
    ):
        with refused(db, "ck_site_probation_two_officers"):
            db.execute(change.values(values))
    with refused(db, "uq_site_probation_site_id"):
        make.add(db, SiteProbation(**told))
    db.execute(change.values(released_by=one.id))
    db.execute(change.values(confirmed_by=other.id))
    with refused(db, "never_deleted"):
        db.execute(delete(SiteProbation).where(SiteProbation.id == row.id))


def test_one_alarm_of_a_kind_and_subject_is_open_until_it_is_closed_with_a_reason(db):
    who = make.make_admin(db).id
    alarm = make_alarm(db)
    same = {"subject_id": alarm.subject_id, "recorded_at": NOW + timedelta(hours=1)}
    with refused(db, "one_open_alarm"):
        make_alarm(db, **same)
    for values, rule in (
        ({"state": "seen"}, "ck_alarm_seen_by_somebody"),
        ({"state": "closed", "seen_by": who}, "ck_alarm_closed_with_reason"),
        ({"state": "asleep", "seen_by": who}, "ck_alarm_state"),
    ):
        with refused(db, rule, "alarm_transition"):
            db.execute(update(Alarm).values(values))
    db.execute(update(Alarm).values(state="closed", seen_by=who, reason="explained"))
    with refused(db, "alarm_transition"):
        db.execute(update(Alarm).values(state="seen", reason=None))
    make_alarm(db, **same)
    with refused(db, "never_deleted"):
        db.execute(delete(Alarm))
