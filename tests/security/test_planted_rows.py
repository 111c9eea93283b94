"""Whoever writes to SQLite past every check stops nothing: others are sealed, the row is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from healthcert import jobs
from healthcert.gateways.note_keys import read_verifier
from healthcert.models import AuditLeaf, triggers
from healthcert.services import auditing, sealing
from healthcert.services.keys import AUDIT_LOG
from tests.factories import make_event
from tests.jobs.conftest import log, parts, settings

HEX = "0123456789abcdef" * 2
IDS = ("'zzz'", "''", f"'{HEX.upper()}'", f"'{HEX[:31]}'", f"CAST('{HEX}' AS BLOB)", "x'fffe'",
       "CAST(x'fffe' AS TEXT)", "7")  # fmt: skip
TIMES = ("'yesterday'", "''", "x'00'", "CAST(x'fffe' AS TEXT)", "0")
NOW = datetime(2026, 3, 2, 10, 0, 1, tzinfo=UTC)  # a round that looks at everything

__all__ = ["log", "parts", "settings"]  # fixtures

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def write(parts):
    with parts.doors.transaction() as db:
        return make_event(db).id


def raw(parts, statement):
    """Write as somebody does who has the file alone: no check, no trigger."""
    with parts.doors.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        triggers.drop(connection)
        connection.exec_driver_sql(statement)
        triggers.install(connection)
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")


def plant(parts, column, value, number=0):
    columns = ("id", "recorded_at", "actor_kind", "act", "subject_kind", "details")
    good = {
        "id": f"'{number}{HEX[1:]}'", "recorded_at": "'2026-03-02 09:00:00.000000'",
        "actor_kind": "'system'", "act": "'planted'", "subject_kind": "'person'", "details": "'{}'",
    }  # fmt: skip
    values = ", ".join((good | {column: value})[name] for name in columns)
    raw(parts, f"INSERT INTO audit_event ({', '.join(columns)}) VALUES ({values})")
    with parts.doors.reading() as db:
        return db.connection().exec_driver_sql("SELECT max(rowid) FROM audit_event").scalar_one()


def findings(parts):
    log = read_verifier(parts.settings.keys_dir / AUDIT_LOG)
    with parts.doors.reading() as db:
        return auditing.verify(db, log=log, sources=[], now=NOW)


def sealed(parts):
    with parts.doors.reading() as db:
        return list(db.scalars(select(AuditLeaf.event_id)))


def test_rows_that_nobody_can_read_are_named_and_keep_nobody_from_being_sealed(parts, log):
    others = [write(parts)]
    jobs.run_once(parts, NOW)
    rows = [plant(parts, "id", value) for value in IDS]
    rows += [plant(parts, "recorded_at", value, number) for number, value in enumerate(TIMES)]
    for seconds in (1, 9, 10, 3600):  # each way of looking back
        others.append(write(parts))
        assert jobs.run_once(parts, NOW + timedelta(seconds=seconds))["audit"] == 1
    assert set(others) <= set(sealed(parts))
    told = {found.says for found in findings(parts) if found.kind == "unreadable"}
    assert told == {f"row {row} of audit_event tells what nobody can read" for row in rows}
    named = ", ".join(map(str, rows))
    assert f"cannot be read or sealed: audit_event {named}" in log.getvalue()
    assert "a job failed" not in log.getvalue()
    with parts.doors.reading() as db:
        sealing.is_late(db, now=NOW)  # and readiness is told still


def test_seals_whose_time_nobody_can_read_are_named_and_followed_by_others(parts, log):
    for count, value in enumerate(TIMES):
        later = write(parts)
        jobs.run_once(parts, NOW + timedelta(seconds=9))
        assert later in sealed(parts)
        raw(parts, f"UPDATE tree_head SET sealed_at = {value}")
        told = [found.says for found in findings(parts) if found.kind == "unreadable"]
        assert len(told) == count + 1
        assert all(says.startswith("the head") for says in told)
    assert "a job failed" not in log.getvalue()


def test_an_honest_log_has_no_row_that_nobody_can_read(parts, log):
    write(parts)
    jobs.run_once(parts, NOW)
    assert findings(parts) == []
    assert "cannot be read" not in log.getvalue()
