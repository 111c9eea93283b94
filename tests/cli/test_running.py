"""The operator's commands: tables, sums, the worker and the demonstration."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import closing

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from healthcert.cli import main
from healthcert.cli.db import db
from healthcert.cli.demo import demo
from healthcert.cli.serve import worker
from healthcert.config import Settings
from healthcert.db import Doors, make_engine
from healthcert.parts import open_parts
from healthcert.services import enrolment
from tests.factories import NOW, make_appointment
from tests.services.clinic import details
from tools.running import free_port


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
    words = [sys.executable, "-c", "from healthcert.cli.serve import worker; worker()"]
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as shift:
        watch = threading.Timer(60, shift.kill)  # what it waits for must not keep all others
        watch.start()
        try:
            assert any('"job": "bundle"' in line for line in shift.stderr)
            shift.send_signal(signal.SIGTERM)
            assert shift.wait(10) == 0
        finally:
            watch.cancel()
            shift.kill()


def test_the_worker_does_not_start_on_an_empty_database(run, tmp_path):
    (tmp_path / "healthcert.db").unlink()
    assert run(worker, "--once").exit_code == 1


@pytest.fixture
def rotate(run, tmp_path):
    """Run `keys rotate-vault` on twenty people."""
    places = {"DATA_DIR": tmp_path, "KEYS_DIR": tmp_path / "keys"}
    settings = Settings.from_env({f"HEALTHCERT_{name}": str(at) for name, at in places.items()})
    with closing(open_parts(settings)) as parts, parts.doors.transaction() as session:
        for _ in range(20):
            enrolment.enrol(session, vault=parts.vault, details=details(), now=NOW)
    return lambda *words: run(main, "keys", "rotate-vault", *words)


def test_the_vaults_keys_are_renewed_in_three_steps(rotate, run, tmp_path):
    folder = tmp_path / "keys" / "development"
    assert "vault-2.next" in rotate("--prepare").output
    assert rotate("--prepare").exit_code == 1
    assert rotate().output == "wrapped: 0 people to go\nindexed: 0 people to go\n"
    assert "in use:" in rotate("--use").output
    assert (folder / "vault-2.key").stat().st_mode & 0o777 == 0o600
    told = rotate("--batch", "100").output.splitlines()
    assert "wrapped: 0 people to go" in told
    assert "indexed: 0 people to go" in told
    for name in ("vault.key", "blind-index.key"):
        (folder / name).unlink()
    assert run(worker, "--once").exit_code == 0


def test_renewal_that_is_killed_goes_on_where_it_was(rotate, tmp_path):
    rotate("--prepare")
    rotate("--use")
    environment = os.environ | {
        "HEALTHCERT_DATA_DIR": str(tmp_path),
        "HEALTHCERT_KEYS_DIR": str(tmp_path / "keys"),
    }
    words = [sys.executable, "-m", "healthcert", "keys", "rotate-vault", "--batch", "5"]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as renewal:
        everybody, *later = (_left(renewal.stdout.readline()) for _ in range(3))
        renewal.kill()
    assert later == [everybody - 5, everybody - 10]
    done = rotate("--batch", "50").output.splitlines()
    assert _left(done[0]) <= everybody - 10
    assert [line for line in done if line.endswith(" 0 people to go")] == [
        "wrapped: 0 people to go", "indexed: 0 people to go",
    ]  # fmt: skip


def _left(line: str) -> int:
    return int(line.split()[1])


@pytest.mark.usefixtures("rotate")
def test_nothing_starts_on_a_vault_key_that_is_not_the_one(run, tmp_path):
    (tmp_path / "keys" / "development" / "vault.key").write_bytes(secrets.token_bytes(32))
    for command in (["worker", "--once"], ["serve"], ["keys", "rotate-vault"]):
        refused = run(main, *command, HEALTHCERT_PORT=str(free_port()))
        assert refused.exit_code == 1
        assert "which is not here" in refused.output, command


def test_every_example_stands_on_lines_of_its_own_in_the_help():
    def helps(command, *path):
        if not isinstance(command, click.Group):
            yield path, command.get_help(click.Context(command, info_name=" ".join(path)))
        for name, each in getattr(command, "commands", {}).items():
            yield from helps(each, *path, name)

    told = dict(helps(main, "healthcert"))
    assert len(told) > 40
    for path, shown in told.items():
        assert re.search(r"^  Examples?:\n    \S", shown, re.MULTILINE), (path, shown)
