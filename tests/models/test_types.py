"""What each column holds, on the engine that would hold anything too."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from healthcert.models import AuditEvent, Base, new_id
from healthcert.models.sqlite_types import rule_of
from tests import factories as make
from tests.models.refusals import refused

WRONG = [
    ("slot", "capacity", "'ten'"),
    ("slot", "capacity", "2.5"),
    ("person", "recorded_at", "'2026-03-02'"),
    ("person", "recorded_at", "'2026-03-02 25:00:00.000000'"),
    ("person", "recorded_at", "'2026-03-02T09:00:00.000000'"),
    ("person", "recorded_at", "1772442000"),
    ("person", "id", "'4d9f'"),
    ("clinic_session", "day", "'02/03/2026'"),
    ("clinic_session", "day", "'2026-02-30'"),
    ("clinic_session", "day", "20260302"),
    ("person", "recorded_at", "'2026-02-30 09:00:00.000000'"),
    ("site", "step_free", "2"),
    ("slot", "capacity", "x'07'"),
]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("table", "column", "value"), WRONG)
def test_sqlite_refuses_what_is_not_of_the_columns_type(db, table, column, value):
    make.make_slot(db)
    make.make_person(db)
    with refused(db, f"ck_{table}_{column}_type"):
        db.execute(text(f"UPDATE {table} SET {column} = {value}"))


def test_every_column_that_is_counted_or_compared_has_its_type_checked():
    words = {"VARCHAR", "BLOB", "JSON"}
    unchecked = {
        str(column.type).partition("(")[0]
        for table in Base.metadata.tables.values()
        for column in table.columns
        if rule_of(column) is None
    }
    assert unchecked == words


def test_every_name_fits_postgresql():
    for table in Base.metadata.tables.values():
        rules = [*table.constraints, *table.indexes]
        names = [str(each.name) for each in rules if not each._ddl_if]  # noqa: SLF001
        assert all(len(name) <= 63 for name in names), names


def test_a_moment_comes_back_in_utc(db):
    tokyo = make.NOW.astimezone(timezone(timedelta(hours=9)))
    made = make.make_event(db, recorded_at=tokyo)
    db.expire_all()
    found = db.scalars(select(AuditEvent.recorded_at).where(AuditEvent.recorded_at == tokyo)).one()
    assert (found, found.utcoffset()) == (make.NOW, timedelta(0))
    assert made.recorded_at == make.NOW


def test_a_moment_keeps_its_microseconds_and_its_order(db):
    moments = [make.NOW, make.NOW + timedelta(microseconds=1), make.NOW + timedelta(seconds=1)]
    for moment in reversed(moments):
        make.make_event(db, recorded_at=moment)
    found = db.scalars(select(AuditEvent.recorded_at).order_by(AuditEvent.recorded_at)).all()
    assert found == moments


@pytest.mark.parametrize("microsecond", [999_499, 999_500, 999_999])
def test_the_last_moments_of_a_second_are_kept_in_that_second(db, microsecond):
    moment = make.NOW.replace(microsecond=microsecond)
    make.make_event(db, recorded_at=moment)
    found = db.scalars(select(AuditEvent.recorded_at)).one()
    assert timedelta(0) <= moment - found < timedelta(milliseconds=1)
    assert found.replace(microsecond=0) == make.NOW


def test_a_time_without_a_zone_is_refused(db):
    with pytest.raises(StatementError, match="needs a datetime with a zone"):
        make.make_event(db, recorded_at=datetime(2026, 3, 2, 9))  # noqa: DTZ001 - that is the point


def test_a_moment_that_is_missing_stays_missing(db):
    appointment = make.make_appointment(db)
    db.expire_all()
    assert appointment.held_until is None


def test_identifiers_made_later_sort_later():
    ids = [new_id() for _ in range(50)]
    assert {each.version for each in ids} == {7}
    assert len(set(ids)) == 50
    milliseconds = [each.int >> 80 for each in ids]
    assert milliseconds == sorted(milliseconds)
    assert abs(milliseconds[0] / 1000 - time.time()) < 60
