"""The operator's commands: tables, sums, the worker and the demonstration."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from healthcert.cli.db import db
from healthcert.cli.demo import demo
from healthcert.cli.worker import worker
from healthcert.db import Doors, make_engine
from tests.factories import make_appointment


@pytest.fixture
def run(tmp_path, keys_dir, sqlite_template):
    """Run a command on a folder with keys and an empty, migrated database."""
    shutil.copytree(keys_dir, tmp_path / "keys")
    shutil.copy(sqlite_template, tmp_path / "healthcert.db")
    environment = {
        "HEALTHCERT_DATA_DIR": str(tmp_path),
        "HEALTHCERT_KEYS_DIR": str(tmp_path / "keys"),
    }

    def invoke(command, *words: str, **more: str):
        return CliRunner().invoke(command, words, env=environment | more)

    return invoke


def test_migrating_twice_is_no_harm(run, tmp_path):
    (tmp_path / "healthcert.db").unlink()
    assert run(db, "migrate").exit_code == 0
    assert run(db, "migrate").exit_code == 0
    assert run(db, "check").exit_code == 0


def test_a_sum_that_differs_is_told_and_exits_with_one(run, tmp_path):
    assert run(demo, "prepare").exit_code == 0
    engine = make_engine(f"sqlite:///{tmp_path / 'healthcert.db'}")
    with Doors(engine).transaction() as session:
        session.execute(text("UPDATE slot SET booked = 1 WHERE booked = 0 AND capacity > 0"))
    engine.dispose()
    found = run(db, "check")
    assert found.exit_code == 1
    assert "differs  slot counters" in found.output
    assert "holds    standings" in found.output


def test_what_its_time_is_over_for_is_counted_then_let_go_and_reported(run, tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'healthcert.db'}")
    with Doors(engine).transaction() as session:
        make_appointment(session, state="cancelled")
        make_appointment(session, state="booked")
    engine.dispose()
    dry = json.loads(run(db, "retention", "--dry-run", "--json").output)
    assert dry["appointment_given_up"] == 1
    done = run(db, "retention")
    assert "1 appointment_given_up: deleted 30 days after its time" in done.output
    assert not any(json.loads(run(db, "retention", "--json").output).values())


def test_the_demonstration_says_whom_one_may_be(run, tmp_path):
    told = run(demo, "prepare")
    assert told.exit_code == 0
    assert "reference HC-" in told.output
    assert "(nurse)" in told.output
    assert (tmp_path / "bundle.hcb").exists()


def test_each_start_of_the_demonstration_publishes_a_fresh_bundle(run, tmp_path):
    assert run(demo, "prepare").exit_code == 0
    first = (tmp_path / "bundle.hcb").read_bytes()
    assert run(demo, "prepare").exit_code == 0
    assert (tmp_path / "bundle.hcb").read_bytes() != first


def test_the_demonstration_is_for_development_alone(run):
    refused = run(demo, "prepare", HEALTHCERT_ENV="training")
    assert refused.exit_code == 1


def test_one_round_of_the_worker_says_what_was_done(run):
    done = run(worker, "--once")
    assert done.exit_code == 0
    assert "bundle 1" in done.output


def test_the_worker_ends_when_it_is_told_to(run, tmp_path):
    assert run(db, "check").exit_code == 0
    environment = os.environ | {
        "HEALTHCERT_DATA_DIR": str(tmp_path),
        "HEALTHCERT_KEYS_DIR": str(tmp_path / "keys"),
    }
    words = [sys.executable, "-c", "from healthcert.cli.worker import worker; worker()"]
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as shift:
        assert '"job": "bundle"' in shift.stderr.readline()
        shift.send_signal(signal.SIGTERM)
        assert shift.wait(10) == 0


def test_the_worker_does_not_start_on_an_empty_database(run, tmp_path):
    (tmp_path / "healthcert.db").unlink()
    assert run(worker, "--once").exit_code == 1
