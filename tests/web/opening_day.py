"""An opening day: its file in the data folder, and a worker that keeps its room."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthcert.jobs import room as job
from healthcert.models import Programme
from tests.certificates import NOW

OPENS = NOW + timedelta(minutes=10)


@pytest.fixture
def opening(parts, clinic):
    """An opening in ten minutes, whose room is there already."""
    with parts.doors.reading() as db:
        programme = db.get_one(Programme, clinic.programme_id)
    told = f'code = "spring"\nprogramme = "{programme.code}"\nopens_at = {OPENS.isoformat()}'
    (parts.settings.data_dir / "opening.toml").write_text(told, "utf-8")


@pytest.fixture
def steps(parts, clock):
    """Let so many seconds pass, with the worker at work."""

    def pass_by(seconds):
        end = clock.now + timedelta(seconds=seconds)
        while clock.now < end:
            clock.pass_by(seconds=min(60, (end - clock.now).total_seconds()))
            job.keep(parts, clock.now, probe=lambda _settings: 0.0)

    return pass_by
