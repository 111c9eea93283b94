"""Whoever owns the database, the host and the audit key cannot change the past unseen."""

from __future__ import annotations

import os
import random
import shutil
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from healthcert.db import Doors, make_engine
from healthcert.errors import BadProof
from healthcert.gateways import seal_files
from healthcert.models import AuditEvent, AuditLeaf, TreeHead, triggers
from healthcert.services import sealing
from healthcert.services.keys import load_audit_signer, read_secret
from healthcert.transparency.comparing import Source
from healthcert.transparency.notes import signed
from healthcert.transparency.seals import Seal
from tests.conftest import ENGINES
from tests.factories import NOW, make_event
from tests.security.attacker import DEEDS, EVERY, SEALS, Log, attack, do, order_of

TAMPERS = int(os.environ.get("HEALTHCERT_TAMPERS", "300"))
ALL = EVERY * SEALS


@pytest.fixture(scope="module")
def signer(keys_dir):
    return load_audit_signer(keys_dir, "development", read_secret(keys_dir / "development/secret"))


@pytest.fixture(scope="module", params=ENGINES)
def log(request, signer, tmp_path_factory):
    """A log on each engine; what a test does to it is undone."""
    folder = tmp_path_factory.mktemp("log")
    with ExitStack() as stack:
        if request.param == "sqlite":
            template = request.getfixturevalue("sqlite_template")
            url = f"sqlite:///{shutil.copy(template, folder / 'audit.db')}"
        else:
            server = request.getfixturevalue("postgres")
            template = request.getfixturevalue("postgresql_template")
            url = server.url(stack.enter_context(server.database(template)))
        engine = make_engine(url)
        made = Log(Doors(engine), signer, folder / "log")
        made.run()
        yield made
        engine.dispose()


@pytest.fixture(scope="module")
def witness(log):
    """An honest witness who saw every seal, leaf by leaf."""
    honest = log.witness("witness.example/honest")
    honest.cosign(seal_files.read(log.folder / "files"))
    return honest


@pytest.fixture
def db(log):
    """The record, without its triggers."""
    with attack(log.doors) as session:
        yield session


def named(findings, kind):
    return {event for finding in findings if finding.kind == kind for event in finding.events}


def kinds(findings):
    return {finding.kind for finding in findings}


def test_an_untouched_record_is_clean(db, log, witness):
    assert log.verify(db, log.files(), log.evidence(witness)) == []


@pytest.mark.parametrize("name", DEEDS)
def test_one_honest_witness_of_three_names_the_event(db, log, witness, name, tmp_path):
    event = do(db, log.signer, name, 9)
    false = list(sealing.seals_after(db, 0))
    bribed = [log.witness(f"{tmp_path.name}/{number}") for number in (1, 2)]
    for each in bribed:
        each.cosign(false)
    files = Source.of("files", false, log=log.signer.verifier)
    assert log.verify(db, files, *map(log.evidence, bribed)) == []
    found = log.verify(db, files, *map(log.evidence, [*bribed, witness]))
    assert named(found, DEEDS[name][1]) == {event}
    assert "forked" in kinds(found)
    assert {finding.source for finding in found} == {"witness.example/honest"}


@pytest.mark.parametrize("name", DEEDS)
def test_without_witnesses_what_lies_elsewhere_shows_it(db, log, name):
    heads = [db.get_one(TreeHead, size).note for size in (8, 12)]
    event = do(db, log.signer, name, 9)
    assert named(log.verify(db, log.files()), DEEDS[name][1]) == {event}
    bundle = Source.of("bundle", map(Seal, heads), log=log.signer.verifier)
    [found] = log.verify(db, bundle)
    assert (found.kind, len(found.events)) == ("forked", EVERY)
    assert found.says.endswith("equal up to 8 events")


@pytest.mark.parametrize("name", ["edit", "hide the actor", "set the clock back"])
def test_without_the_key_the_record_names_it_itself(db, log, name):
    _, event = DEEDS[name][0](db, order_of(db), 9)
    assert named(log.verify(db), "edited") == {event}


ODD = ("yesterday", b"\x7f\x00", 7, "", "9999-12-31 23:59:59", "infinity")


@pytest.mark.parametrize(
    "column", ["recorded_at", "actor_id", "act", "details", "subject_kind", "actor_kind"]
)
def test_what_no_check_would_let_in_is_named_too(db, log, column):
    event, raw = log.events[9], db.connection().exec_driver_sql
    if db.get_bind().dialect.name == "sqlite":
        raw("PRAGMA ignore_check_constraints = ON")
        values = [*map(repr, ODD[:1] + ODD[2:]), "x'7f00'", "CAST(x'fffe' AS TEXT)"]
    else:
        raw("ALTER TABLE audit_event DROP CONSTRAINT ck_audit_event_actor_kind")
        raw(f"ALTER TABLE audit_event ALTER {column} DROP NOT NULL")
        moments = ("'infinity'", "'20000-01-01'", "'0044-03-15 BC'", "NULL")
        values = moments if column == "recorded_at" else ("NULL",) * (column != "actor_id")
    for value in values:
        with db.begin_nested() as point:
            raw(f"UPDATE audit_event SET {column} = {value} WHERE id = '{as_stored(db, event)}'")
            assert named(log.verify(db), "edited") == {event}
            point.rollback()
    if db.get_bind().dialect.name == "sqlite":
        raw("PRAGMA ignore_check_constraints = OFF")


def as_stored(db, event):
    return event.hex if db.get_bind().dialect.name == "sqlite" else str(event)


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [("audit_event", "id", "removed"), ("audit_leaf", "event_id", "removed"),
     ("audit_leaf", "hash", "edited"), ("tree_head", "note", "unsigned"),
     ("tree_head", "sealed_at", None)],
)  # fmt: skip
def test_garbage_in_any_place_stops_nobody_who_verifies(db, log, table, column, kind):
    raw = db.connection().exec_driver_sql
    raw("PRAGMA ignore_check_constraints = ON")
    raw(f"UPDATE {table} SET {column} = CAST(x'fffe' AS TEXT) WHERE rowid = 3")
    found = log.verify(db, log.files())
    assert kind is None or kind in kinds(found)
    raw("PRAGMA ignore_check_constraints = OFF")


def test_an_event_taken_away_is_named_by_the_record_itself(db, log):
    db.execute(delete(AuditEvent).where(AuditEvent.id == log.events[9]))
    assert named(log.verify(db), "removed") == {log.events[9]}


def test_a_leaf_taken_away_with_its_event_is_seen(db, log):
    for table, key in ((AuditEvent, AuditEvent.id), (AuditLeaf, AuditLeaf.event_id)):
        db.execute(delete(table).where(key == log.events[9]))
    assert "forked" in kinds(log.verify(db))
    assert named(log.verify(db, log.files()), "removed") == {log.events[9]}


def test_a_leaf_alone_taken_away_leaves_an_event_unsealed(db, log):
    db.execute(delete(AuditLeaf).where(AuditLeaf.event_id == log.events[9]))
    found = log.verify(db, now=NOW + timedelta(days=3650))
    assert named(found, "unsealed") == {log.events[9]}


def test_a_tree_rolled_back_is_shorter_than_what_was_signed(db, log, witness):
    db.execute(delete(TreeHead).where(TreeHead.size == ALL))
    for event in log.events[-EVERY:]:
        db.execute(delete(AuditLeaf).where(AuditLeaf.event_id == event))
        db.execute(delete(AuditEvent).where(AuditEvent.id == event))
    assert log.verify(db) == []
    assert named(log.verify(db, log.evidence(witness)), "removed") == set(log.events[-EVERY:])


def test_an_event_dated_back_is_named_whoever_seals_it(db, log):
    event = make_event(db, recorded_at=NOW - timedelta(hours=5)).id
    sealing.seal(db, signer=log.signer, now=NOW + timedelta(minutes=SEALS))
    [found] = log.verify(db)
    assert (found.kind, found.events) == ("back_dated", (event,))


def test_back_dating_is_seen_though_the_heads_were_dated_back_too(db, log, witness):
    event = make_event(db, recorded_at=NOW - timedelta(hours=5)).id
    db.execute(update(TreeHead).values(sealed_at=NOW - timedelta(days=1)))
    sealing.seal(db, signer=log.signer, now=NOW)
    assert log.verify(db) == []
    assert named(log.verify(db, log.evidence(witness)), "back_dated") == {event}


def test_a_log_shown_to_two_witnesses_in_two_ways_is_a_fork(db, log, witness, tmp_path):
    do(db, log.signer, "edit", 9)
    other = log.witness(tmp_path.name)
    other.cosign(sealing.seals_after(db, 0))
    [*found] = log.verify(db, log.evidence(witness), log.evidence(other))
    assert ("forked", "witness.example/honest") in {(each.kind, each.source) for each in found}
    both = [*seal_files.read(witness.state), *seal_files.read(other.state)]
    assert kinds(Source.of("both", both, log=log.signer.verifier).faults) == {"forked"}


def test_an_honest_witness_cosigns_no_other_past(db, log, witness):
    do(db, log.signer, "remove", 9)
    held = list(seal_files.read(witness.state))
    for seals in (list(sealing.seals_after(db, 0)), list(sealing.seals_after(db, 8)), []):
        with pytest.raises(BadProof):
            witness.cosign(seals)
    assert list(seal_files.read(witness.state)) == held


def test_an_honest_witness_cosigns_no_shorter_past(log, witness):
    with pytest.raises(BadProof, match="it was 24 events long"):
        witness.cosign([*seal_files.read(log.folder / "files")][:-1])


def test_a_head_that_the_log_did_not_sign_counts_for_nothing(db, log, witness):
    head = sealing.newest(db)
    told = head.note.partition("\n\n")[0] + "\n"
    false = signed(told, [witness.signer.cosign(told, 1)])
    db.execute(update(TreeHead).where(TreeHead.size == head.size).values(note=false))
    assert kinds(log.verify(db)) == {"unsigned"}


def test_seals_that_nobody_cosigned_are_no_evidence_of_a_witness(db, log, witness):
    plain = replace(witness, state=log.folder / "files")
    assert kinds(log.verify(db, log.evidence(plain))) == {"unsigned"}


def test_what_is_done_between_dropped_and_restored_triggers_is_found(doors, signer, tmp_path):
    log = Log(doors, signer, tmp_path / "log")
    log.run()
    with doors.transaction() as db:
        triggers.drop(db.connection())
        event = do(db, signer, "hide the actor", 9)
        triggers.install(db.connection())
    with doors.reading() as db:
        assert log.verify(db) == []
        assert named(log.verify(db, log.files()), "edited") == {event}


@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
def test_random_tampers_are_all_found_and_named(db, log, witness, say):
    source, seed = log.evidence(witness), random.SystemRandom().getrandbits(32)
    chance, missed = random.Random(seed), []
    for number in range(TAMPERS):
        name, at = chance.choice([*DEEDS]), chance.randrange(ALL)
        with db.begin_nested() as point:
            event = do(db, log.signer, name, at)
            found = log.verify(db, source)
            point.rollback()
        db.expire_all()
        if event not in named(found, DEEDS[name][1]):
            missed.append((number, name, at))
    say(f"{TAMPERS} random tampers, seed {seed}: {TAMPERS - len(missed)} found and named")
    assert missed == []
