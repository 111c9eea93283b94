"""`healthcert audit`: sealed by the worker, witnessed elsewhere, verified and proven by anybody."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from healthcert.db import Doors, make_engine
from healthcert.models import AuditEvent, triggers
from tests.factories import make_event


@pytest.fixture
def doors(sqlite_template, tmp_path):
    (tmp_path / "healthcert.db").write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{tmp_path / 'healthcert.db'}")
    yield Doors(engine)
    engine.dispose()


@pytest.fixture
def events(doors, run):
    """Three events, sealed by the worker, whose bundle tells of it."""
    return write(doors, run, 3)


@pytest.fixture
def log(keys_dir):
    return keys_dir / "trust" / "audit" / "log.vkey"


@pytest.fixture
def witness(run, tmp_path, log):
    """Return what runs a witness of its own; its keys are made first."""
    (tmp_path / "words").write_text("correct horse", "utf-8")
    made = run("audit", "key", "witness.example/w", tmp_path / "w.pem", "--secret",
               tmp_path / "words")  # fmt: skip
    assert made.stdout == (tmp_path / "w.vkey").read_text("utf-8")

    def cosign(*options, stdin=b""):
        return run("audit", "witness", "--key", tmp_path / "w.pem", "--secret", tmp_path / "words",
                   "--log", log, "--state", tmp_path / "state", *options, stdin=stdin)  # fmt: skip

    return cosign


def write(doors, run, count):
    now = datetime.now(UTC)  # noqa: TID251 - the worker reads the clock too
    with doors.transaction() as db:
        made = [make_event(db, recorded_at=now).id for _ in range(count)]
    done = run("worker", "--once")
    assert "audit 1" in done.stdout
    return sorted(made)


def change(doors, event):
    with doors.transaction() as db:
        triggers.drop(db.connection())
        db.execute(update(AuditEvent).where(AuditEvent.id == event).values(act="other"))
        triggers.install(db.connection())


def test_a_record_that_holds_is_verified(run, events, tmp_path):
    done = run("audit", "verify", "--bundle", tmp_path / "bundle.hcb")
    assert (done.exit_code, done.stdout) == (0, "3 events are as they were sealed.\n")
    assert events


def test_an_event_that_was_changed_is_named(run, doors, events):
    change(doors, events[1])
    done = run("audit", "verify")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"edited     record: event {events[1]} is not as it was sealed"
    ]
    [told] = map(json.loads, run("audit", "verify", "--json").stdout.splitlines())
    assert (told["kind"], told["events"]) == ("edited", [str(events[1])])


def test_the_seals_lie_outside_the_database_and_in_the_bundle(run, events, tmp_path):
    [path] = (tmp_path / "audit").glob("*.seals")
    [seal] = map(json.loads, path.read_text("utf-8").splitlines())
    assert [event for event, _ in seal["leaves"]] == list(map(str, events))
    shown = json.loads(run("bundle", "show", tmp_path / "bundle.hcb").stdout)
    assert bytes.fromhex(shown["audit_head"]).decode() == seal["checkpoint"]


def test_seals_are_kept_though_the_worker_ended_between(run, events, tmp_path):
    [path] = (tmp_path / "audit").glob("*.seals")
    first = path.read_text("utf-8")
    path.unlink()
    write_more = run("worker", "--once")
    assert "audit 1" in write_more.stdout
    assert path.read_text("utf-8") == first
    assert events


def test_an_event_is_proven_to_anybody(run, events, tmp_path, log, witness):
    answer = witness(stdin=run("audit", "request").stdout.encode())
    proof = tmp_path / "event.tlog-proof"
    proof.write_text(run("audit", "prove", events[0]).stdout, "utf-8")
    told = run("audit", "check", proof, "--log", log)
    assert told.exit_code == 0
    assert f"event 0 of 3, sealed by healthcert.invalid/XX/DEVELOPMENT:\n1\n{events[0].hex}\n" in (
        told.stdout
    )
    assert run("audit", "check", proof, "--log", log, "--witness", tmp_path / "w.vkey").exit_code
    proof.write_text(proof.read_text("utf-8") + answer.stdout, "utf-8")
    told = run("audit", "check", proof, "--log", log, "--witness", tmp_path / "w.vkey")
    assert told.stdout.startswith("cosigned by witness.example/w at 20")
    proof.write_text(proof.read_text("utf-8").replace("index 0", "index 1"), "utf-8")
    assert run("audit", "check", proof, "--log", log).exit_code == 1


def test_a_witness_follows_by_requests(
    run, doors, events, witness, tmp_path, keys_dir, monkeypatch
):
    assert witness(stdin=run("audit", "request").stdout.encode()).exit_code == 0
    write(doors, run, 2)
    behind = witness(stdin=run("audit", "request").stdout.encode())
    assert (behind.exit_code, behind.stdout) == (1, "")
    assert "this witness holds size 3, not 0" in behind.stderr
    answer = witness(stdin=run("audit", "request", "--since", 3).stdout.encode())
    (tmp_path / "answer").write_text(answer.stdout, "utf-8")
    assert run("audit", "cosign", tmp_path / "answer").exit_code == 1
    known = shutil.copytree(keys_dir, tmp_path / "keys") / "trust" / "audit" / "witnesses"
    known.mkdir()
    (known / "w.vkey").write_text((tmp_path / "w.vkey").read_text("utf-8"), "utf-8")
    monkeypatch.setenv("HEALTHCERT_KEYS_DIR", str(tmp_path / "keys"))
    told = run("audit", "cosign", tmp_path / "answer")
    assert told.stdout == "cosigned by witness.example/w\n"
    assert answer.stdout in run("audit", "prove", events[0]).stdout
    done = run("audit", "verify", "--witness", tmp_path / "w.vkey", tmp_path / "state")
    assert done.stdout == "5 events are as they were sealed.\n"


def test_a_witness_follows_by_seals_and_remembers_each_leaf(run, doors, events, witness, tmp_path):
    assert witness("--seals", tmp_path / "audit").exit_code == 0
    assert "holds size 3" in witness("--seals", tmp_path / "audit").stderr
    write(doors, run, 2)
    (tmp_path / "state" / "edge.json").unlink()
    assert witness("--seals", tmp_path / "audit").stdout.startswith("\u2014 witness.example/w ")
    kept = (tmp_path / "state" / "cosigned.seals").read_text("utf-8").splitlines()
    assert [len(json.loads(line)["leaves"]) for line in kept] == [3, 2]
    assert witness(stdin=run("audit", "request", "--since", 3).stdout.encode()).exit_code == 1
    assert events


def test_a_witness_takes_nothing_that_is_not_in_order(run, events, witness, tmp_path):
    assert events
    request = run("audit", "request").stdout
    stranger = request.replace("healthcert.invalid", "stranger.invalid")
    for told in ("", "old 0\n\n", stranger, request.replace("old 0", "old 00"), request[:-9]):
        assert witness(stdin=told.encode()).exit_code == 1
    assert witness(stdin=b"\xff\xfe").exit_code == 1
    (tmp_path / "broken.seals").write_text("{}\n", "utf-8")
    assert "line 1 is no seal" in witness("--seals", tmp_path / "broken.seals").stderr
    assert not (tmp_path / "state" / "cosigned.seals").exists()


def test_the_export_names_every_event(run, events):
    told = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [(line["position"], line["event"]) for line in told] == [
        (position, str(event)) for position, event in enumerate(events)
    ]


def test_a_key_is_never_written_over(run, witness, tmp_path):
    again = run("audit", "key", "another", tmp_path / "w.pem", "--secret", tmp_path / "words")
    assert again.exit_code == 2
    (tmp_path / "words").write_text("others", "utf-8")
    assert "no key that opens" in witness(stdin=b"").stderr


def test_a_witness_loads_neither_the_database_nor_the_web(tmp_path, log):
    told = (
        "import runpy, sys; sys.argv = ['w', '--help']\n"
        "try: runpy.run_module('healthcert.witness', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'flask', 'cbor2', 'alembic', 'healthcert.models'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Commands" in done.stdout
    (tmp_path / "p").write_text("no proof", "utf-8")
    program = [sys.executable, "-m", "healthcert.witness", "check", tmp_path / "p", "--log", log]
    refused = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, "Error: not a proof with its entry\n")
