"""Kill -9 on the way from intent to delivery: nothing is lost, doubled, or without intent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from healthcert.config import Settings
from healthcert.hcert.cose import parse
from healthcert.hcert.text import decode
from healthcert.jobs import run_once
from healthcert.models import Certificate, Dose, Message, Person
from healthcert.parts import open_parts
from healthcert.services.people import key_of
from tests.crash.issuer import POINTS, noting
from tests.factories import NOW

ROOT = Path(__file__).resolve().parents[2]
CASES = [("sqlite", point) for point in POINTS] + [("postgresql", "verified")]


@pytest.mark.parametrize(("engine_name", "point"), CASES, indirect=["engine_name"])
def test_a_process_killed_at_any_point_leaves_work_that_another_finishes(
    database_url, keys_dir, tmp_path, point
):
    environment = {
        "HEALTHCERT_DATA_DIR": str(tmp_path),
        "HEALTHCERT_KEYS_DIR": str(keys_dir),
        "HEALTHCERT_DATABASE_URL": database_url,
    }
    made = tmp_path / "signatures"
    made.touch()
    words = [sys.executable, "-m", "tests.crash.issuer", point, str(made)]
    died = subprocess.run(words, cwd=ROOT, env=os.environ | environment, check=False)
    assert died.returncode == -signal.SIGKILL
    before = made.read_text().split()
    assert len(before) == (0 if point == "intended" else 1)
    with closing(open_parts(Settings.from_env(environment))) as opened:
        parts = noting(opened, made)
        for minutes in (0, 9):
            run_once(parts, NOW + timedelta(minutes=minutes))
        _finished(parts, made.read_text().split())


def _finished(parts, made: list[str]) -> None:
    """Hold that one dose has one certificate, told of, and that what was signed has its intent."""
    with parts.doors.reading() as db:
        [dose], [certificate] = (
            db.scalars(select(Dose)).all(),
            db.scalars(select(Certificate)).all(),
        )
        assert (certificate.state, certificate.dose_id) == ("issued", dose.id)
        sealed = db.get_one(Person, dose.person_id)
        opened = parts.vault.open(
            key_of(sealed), certificate.id, certificate.sealed, purpose="certificate"
        )
        assert parse(decode(opened["text"])).signature.hex() == made[-1]
        told = Counter(
            (each.template, each.state)
            for each in db.scalars(select(Message).filter_by(template="certificate_ready"))
        )
    assert told == {("certificate_ready", "sent"): 1}
    assert len(made) <= 2  # one that died unstored is made anew, from the same intent
