"""A serious case whose clock runs out is told to whoever looks after the service, once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from healthcert import jobs
from healthcert.models import Alarm, Staff
from healthcert.services import alarms
from tests.factories import NOW, make_adverse_event, make_staff

HOUR = timedelta(hours=1)


def kept(parts):
    with parts.doors.reading() as db:
        return list(db.execute(select(Alarm.kind, Alarm.subject_kind, Alarm.subject_id)))


def test_a_serious_case_sounds_once_as_its_clock_runs_out(parts):
    grave = {"seriousness": "death", "outcome": "died", "due_at": NOW, "recorded_at": NOW - HOUR}
    with parts.doors.transaction() as db:
        late = make_adverse_event(db, **grave).id
        assessed = make_adverse_event(db, **grave)
        for state in ("investigating", "assessed"):
            assessed.state, assessed.causality = state, "coincidental"
            db.flush()
        make_adverse_event(db)
        admin = make_staff(db, role="admin", site_id=None).id
    assert jobs.run_once(parts, NOW - HOUR)["reactions"] == 0
    assert kept(parts) == []
    assert jobs.run_once(parts, NOW)["reactions"] == 1
    told = [("reaction_overdue", "adverse_event", late)]
    assert kept(parts) == told
    assert jobs.run_once(parts, NOW)["reactions"] == 0
    with parts.doors.transaction() as db:
        [alarm] = alarms.still_open(db)
        by = db.get_one(Staff, admin)
        alarms.settle(db, alarm_id=alarm.id, reason="explained", staff=by, now=NOW)
    assert jobs.run_once(parts, NOW + HOUR)["reactions"] == 0
    assert kept(parts) == told
