"""The server is restarted again and again while people book: what they were told stands.

The nightly run restarts it 100 times (HEALTHCERT_RESTARTS).
"""

from __future__ import annotations

import os
import time

import pytest
from sqlalchemy import func, select

from healthcert.models import Appointment, Slot
from tests.load.knocking import Plan, ended, started
from tests.load.serving import house

RESTARTS = int(os.environ.get("HEALTHCERT_RESTARTS", "1"))
WORKS, PATIENCE = 0.5, 60.0 * (1 + RESTARTS)  # seconds: between two restarts, and in all
pytestmark = pytest.mark.xdist_group("load")


def test_nobody_loses_what_they_were_told(tmp_path, postgres, postgresql_template, say):
    size = 100 * RESTARTS
    with (
        postgres.database(postgresql_template) as name,
        house(tmp_path, postgres.url(name)) as running,
    ):
        knocking = started(running.port, Plan(running.crowd(size), PATIENCE, at_once=4))
        try:
            for _ in range(RESTARTS):
                time.sleep(WORKS)
                running.stop()
                running.start()
            time.sleep(2 * WORKS)  # who was not told asks again
        finally:
            answers = ended(knocking)
        with running.parts.doors.reading() as db:
            places = db.scalar(select(func.sum(Slot.booked)))
            people = db.scalar(select(func.count(Appointment.person_id.distinct())))
            written = db.scalar(select(func.count()).select_from(Appointment))
    booked = {answer.which for answer in answers if answer.status == 303}
    others = {answer.which for answer in answers if answer.status == 409} - booked
    broken = sum(answer.status == 0 for answer in answers)
    assert {answer.status for answer in answers} <= {0, 303, 409, 503}
    assert len(booked) <= written == people == places
    # Booked without being told, by a line that broke: they are told when they ask again.
    assert written - len(booked) <= len(others) + 4 * RESTARTS
    assert broken
    assert booked
    say(f"{RESTARTS} restarts: {len(booked)} told that they booked, {written} appointments,"
        f" {broken} broken lines")  # fmt: skip
