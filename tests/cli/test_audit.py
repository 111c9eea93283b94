"""`healthcert audit`: sealed by the worker, witnessed elsewhere, verified and proven by anybody."""

from __future__ import annotations

import json
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

    def cosign(seals=tmp_path / "audit"):
        return run("audit", "witness", seals, "--key", tmp_path / "w.pem", "--secret",
                   tmp_path / "words", "--log", log, "--state", tmp_path / "state")  # fmt: skip

    return cosign


def write(doors, run, count):
    """Write events and let the worker seal them, among others that its jobs may write."""
    now = datetime.now(UTC)  # noqa: TID251 - the worker reads the clock too
    with doors.transaction() as db:
        made = [make_event(db, recorded_at=now).id for _ in range(count)]
    done = run("worker", "--once")
    assert "audit 1" in done.stdout
    return sorted(made)


def sealed(tmp_path):
    """Return the leaves in the seal files, seal by seal."""
    [path] = (tmp_path / "audit").glob("*.seals")
    seals = map(json.loads, path.read_text("utf-8").splitlines())
    return [[event for event, _ in seal["leaves"]] for seal in seals]


def change(doors, event):
    with doors.transaction() as db:
        triggers.drop(db.connection())
        db.execute(update(AuditEvent).where(AuditEvent.id == event).values(act="other"))
        triggers.install(db.connection())


def test_a_record_that_holds_is_verified(run, events, tmp_path):
    done = run("audit", "verify", "--bundle", tmp_path / "bundle.hcb")
    size = sum(map(len, sealed(tmp_path)))
    assert (done.exit_code, done.stdout) == (0, f"{size} events are as they were sealed.\n")
    assert size >= len(events)


def test_an_event_that_was_changed_is_named(run, doors, events):
    change(doors, events[1])
    done = run("audit", "verify")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"edited     record: event {events[1]} is not as it was sealed"
    ]
    [told] = map(json.loads, run("audit", "verify", "--json").stdout.splitlines())
    assert (told["kind"], told["events"]) == ("edited", [str(events[1])])


def test_a_line_that_is_no_seal_is_told_and_hides_no_other(run, doors, events, tmp_path):
    change(doors, events[1])
    [path] = (tmp_path / "audit").glob("*.seals")
    path.write_bytes(b'{"checkpoint": "x"}\n\xff\xfe\n' + path.read_bytes())
    kinds = [line.split()[0] for line in run("audit", "verify").stdout.splitlines()]
    assert sorted(kinds) == ["edited", "unsigned", "unsigned"]


def test_the_seals_lie_outside_the_database_and_in_the_bundle(run, events, tmp_path):
    [path] = (tmp_path / "audit").glob("*.seals")
    [seal] = map(json.loads, path.read_text("utf-8").splitlines())
    assert {event for event, _ in seal["leaves"]} >= set(map(str, events))
    shown = json.loads(run("bundle", "show", tmp_path / "bundle.hcb").stdout)
    assert bytes.fromhex(shown["audit_head"]).decode() == seal["checkpoint"]


def test_seals_are_kept_though_the_worker_ended_between(run, events, tmp_path):
    [path] = (tmp_path / "audit").glob("*.seals")
    first = path.read_text("utf-8")
    path.unlink()
    run("worker", "--once")
    assert path.read_text("utf-8").startswith(first)
    assert events


def test_an_event_is_proven_to_anybody_by_a_head_that_was_cosigned(
    run, doors, events, tmp_path, log, witness
):
    proof, head = tmp_path / "event.tlog-proof", tmp_path / "head"
    proof.write_text(run("audit", "prove", events[0]).stdout, "utf-8")
    told = run("audit", "check", proof, "--log", log)
    assert told.exit_code == 0
    assert f"sealed by healthcert.invalid/XX/DEVELOPMENT:\n1\n{events[0].hex}\n" in told.stdout
    assert run("audit", "check", proof, "--log", log, "--witness", tmp_path / "w.vkey").exit_code
    head.write_text(witness().stdout, "utf-8")
    write(doors, run, 2)
    proof.write_text(run("audit", "prove", events[0], "--head", head).stdout, "utf-8")
    told = run("audit", "check", proof, "--log", log, "--witness", tmp_path / "w.vkey")
    assert told.stdout.startswith("cosigned by witness.example/w at 20")
    proof.write_text(proof.read_text("utf-8").replace("\nindex ", "\nindex 1"), "utf-8")
    assert run("audit", "check", proof, "--log", log).exit_code == 1


def test_growth_is_proven_to_whoever_holds_a_head(run, doors, events, tmp_path, log):
    [path] = (tmp_path / "audit").glob("*.seals")
    (tmp_path / "head").write_text(json.loads(path.read_text("utf-8"))["checkpoint"], "utf-8")
    size = sum(map(len, sealed(tmp_path)))
    write(doors, run, 2)
    grown = sum(map(len, sealed(tmp_path)))
    for since, code in ((size, 0), (size - 1, 1)):
        told = run("audit", "prove", "--since", since)
        (tmp_path / "growth").write_text(told.stdout, "utf-8")
        held = ("--log", log, "--held", tmp_path / "head")
        checked = run("audit", "check", tmp_path / "growth", *held)
        assert checked.exit_code == code
        assert code or f"the {grown} events of" in checked.stdout
    assert run("audit", "prove", "--since", 10_000).exit_code == 1
    assert run("audit", "prove").exit_code == 2
    assert events


def test_a_witness_follows_the_seals_and_remembers_each_leaf(run, doors, events, witness, tmp_path):
    first = witness()
    assert "\n\u2014 witness.example/w " in first.stdout
    assert witness().stdout == first.stdout
    write(doors, run, 2)
    assert witness().exit_code == 0
    kept = (tmp_path / "state" / "cosigned.seals").read_text("utf-8").splitlines()
    told = [[event for event, _ in json.loads(line)["leaves"]] for line in kept]
    assert told == sealed(tmp_path)
    done = run("audit", "verify", "--witness", tmp_path / "w.vkey", tmp_path / "state")
    assert done.stdout.endswith("events are as they were sealed.\n")
    change(doors, events[1])
    done = run("audit", "verify", "--witness", tmp_path / "w.vkey", tmp_path / "state")
    assert f"event {events[1]} is not as it was sealed" in done.stdout


def test_a_witness_takes_nothing_that_is_not_in_order(run, doors, events, witness, tmp_path):
    [path] = (tmp_path / "audit").glob("*.seals")
    write(doors, run, 1)
    first, second = path.read_text("utf-8").splitlines(keepends=True)
    leaf = json.loads(first)["leaves"][0][1]
    told = tmp_path / "told.seals"
    for lines, says in (
        ("", "there is no seal"), ("{}\n", "not a signed note"), ("\0\n", "not a signed note"),
        (first.replace("healthcert.invalid", "a.invalid"), "did not sign"),
        (second, "the seals between 0 and"), (first.replace(leaf, "A" * 43 + "="), "the root"),
    ):  # fmt: skip
        told.write_text(lines, "utf-8")
        done = witness(told)
        assert (done.exit_code, done.stdout) == (1, "")
        assert says in done.stderr
    assert not (tmp_path / "state" / "cosigned.seals").exists()
    assert witness().exit_code == 0
    told.write_text(first, "utf-8")
    assert "events long" in witness(told).stderr
    with (tmp_path / "state" / "cosigned.seals").open("a", encoding="utf-8") as memory:
        memory.write('{"torn\n')
    assert "is no seal" in witness().stderr
    assert events


def test_the_export_names_every_event(run, events, tmp_path):
    told = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [(line["position"], line["event"]) for line in told] == [
        (position, event.replace("-", "")) for position, event in enumerate(*sealed(tmp_path))
    ]
    assert events


def test_a_key_is_never_written_over(run, witness, tmp_path, events):
    again = run("audit", "key", "another", tmp_path / "w.pem", "--secret", tmp_path / "words")
    assert again.exit_code == 2
    (tmp_path / "words").write_text("others", "utf-8")
    assert "no key that opens" in witness().stderr
    assert events


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
