"""Who is watched leaves once, early or not as the clock says; a count stands by two people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from healthcert.models import Observation, StockCount
from tests import factories as make
from tests.factories import NOW, day
from tests.models.refusals import refused

SOON, LATER = NOW + timedelta(minutes=5), NOW + timedelta(minutes=20)


def change(row, **values):
    return update(type(row)).where(type(row).id == row.id).values(**values)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"until": NOW}, "ck_observation_until"),
        ({"state": "fled"}, "ck_observation_state"),
        ({"left_at": LATER}, "ck_observation_left"),
    ],
)
def test_a_watch_begins_with_an_end_and_nobody_gone(db, values, rule):
    with refused(db, rule, "ck_observation_noted", "ck_observation_left"):
        make.make_observation(db, **values)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"state": "left", "left_at": SOON}, "ck_observation_early"),
        ({"state": "left_early", "left_at": LATER}, "ck_observation_early"),
        ({"state": "left"}, "ck_observation_left"),
        ({"state": "left_early", "left_at": NOW - timedelta(1)}, "ck_observation_left_after"),
        ({"state": "left", "left_at": LATER, "noted_by": None}, "ck_observation_noted"),
    ],
)
def test_who_leaves_leaves_when_the_clock_says(db, values, rule):
    row = make.make_observation(db)
    told = {"noted_by": make.make_staff(db).id} | values
    with refused(db, rule, "ck_observation_noted"):
        db.execute(change(row, **told))


def test_a_dose_is_watched_once_by_the_person_who_had_it_and_the_row_stays(db):
    row = make.make_observation(db)
    other = make.make_dose(db, site_id=row.site_id)
    with refused(db, "uq_observation_dose_id"):
        make.make_observation(db, dose_id=row.dose_id, person_id=row.person_id)
    with refused(db, "foreign_key"):
        make.make_observation(db, dose=other, person_id=row.person_id)
    with refused(db, "never_deleted"):
        db.execute(delete(Observation))


def test_a_count_is_confirmed_by_another_and_waits_once_a_shelf(db):
    first = make.make_count(db)
    for values, rule in (
        ({"state": "confirmed"}, "ck_stock_count_confirmed"),
        ({"state": "confirmed", "confirmed_by": first.counted_by}, "ck_stock_count_two_count"),
        ({"state": "open", "confirmed_by": make.make_admin(db).id}, "ck_stock_count_confirmed"),
        ({"found": -1}, "ck_stock_count_found"),
    ):
        with refused(db, rule):
            db.execute(change(first, **values))
    again = {"recorded_at": NOW, "found": 3, "counted_by": first.counted_by}
    with refused(db, "one_open_count"):
        make.add(db, StockCount(site_id=first.site_id, lot_id=first.lot_id, **again))
    with refused(db, "never_deleted"):
        db.execute(delete(StockCount))


def test_what_is_put_off_alone_has_a_day(db):
    make.make_triage(db, outcome="defer", until=day(7))
    with refused(db, "ck_triage_until"):
        make.make_triage(db, outcome="go", until=day(7))
