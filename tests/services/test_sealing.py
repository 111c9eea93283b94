"""Every event gets its place in the tree, once, and the head is signed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Event, Thread
from uuid import UUID

import pytest
from sqlalchemy import func, select

from healthcert.errors import BadProof, NotFound
from healthcert.models import AuditEvent, AuditLeaf, TreeHead
from healthcert.services import audit, auditing, sealing
from healthcert.services.audit import SYSTEM, Subject
from healthcert.services.keys import load_audit_signer, read_secret
from healthcert.transparency.notes import opened
from healthcert.transparency.seals import check_growth, check_proof
from tests.factories import NOW, make_event

LATER = NOW + timedelta(minutes=5)


@pytest.fixture(scope="session")
def signer(keys_dir):
    return load_audit_signer(keys_dir, "development", read_secret(keys_dir / "development/secret"))


def write(doors, count=1, **values):
    """Write events, committed; return their identifiers in order."""
    with doors.transaction() as db:
        return sorted(make_event(db, details={"number": n}, **values).id for n in range(count))


def made_at(event):
    """Return the moment in an identifier."""
    return datetime.fromtimestamp((event.int >> 80) / 1000, UTC)


def seal(doors, signer, now=NOW, **options):
    with doors.transaction() as db:
        return sealing.seal(db, signer=signer, now=now, **options)


def verify(doors, signer, *sources, now=NOW):
    with doors.reading() as db:
        return auditing.verify(db, log=signer.verifier, sources=sources, now=now)


def test_a_seal_takes_in_every_event_in_order(doors, signer):
    events = write(doors, 5)
    head = seal(doors, signer)
    assert (head.size, head.sealed_at) == (5, NOW)
    assert opened(head.note, signer.verifier).root == head.root
    with doors.reading() as db:
        assert [leaf.event for leaf in sealing.leaves(db, 0)] == events
    assert seal(doors, signer) is None
    assert verify(doors, signer) == []


def test_what_the_database_seals_is_what_the_program_reads_back(doors, signer):
    odd = {"actor_kind": "citizen", "actor_id": UUID(int=7), "subject_id": None}
    with doors.transaction() as db:
        make_event(db, **odd, act="\u00e9t\u00e9 \U0001f489 \n,1:", details={"b": 1, "a": "\u0634"})
        make_event(db, recorded_at=NOW.replace(microsecond=120), details={})
        audit.note(db, actor=SYSTEM, act="x", subject=Subject("y"), details={"n": None}, now=NOW)
    seal(doors, signer)
    assert verify(doors, signer) == []


def test_an_entry_can_be_hashed_by_hand(doors, signer):
    [event] = write(doors)
    seal(doors, signer)
    with doors.reading() as db:
        [line] = auditing.export(db)
    told = json.loads(line)
    assert told["id"].replace("-", "") == event.hex
    assert told["entry"].split("\n") == [
        "1", event.hex, "2026-03-02 09:00:00.000000", "", "",
        '6:system,6:tested,6:person,13:{"number": 0}',
    ]  # fmt: skip
    assert sha256(b"\0" + told["entry"].encode()).hexdigest() == told["hash"]


def test_two_fields_never_make_the_same_entry(doors):
    with doors.transaction() as db:
        make_event(db, act="a,1:b", subject_kind="c")
        make_event(db, act="a", subject_kind="b,1:c")
        rows = db.execute(select(*auditing.EVENT)).all()
        entries = {auditing.entry(row).split(b"\n")[-1] for row in rows}
    assert len(entries) == 2


def test_one_committed_late_is_sealed_later_and_loses_no_place(doors, signer):
    late = UUID(int=write(doors)[0].int - (30_000 << 80))
    assert seal(doors, signer).size == 1
    write(doors, id=late)
    assert seal(doors, signer, LATER).size == 2
    assert verify(doors, signer, now=LATER) == []


def test_one_of_long_ago_is_found_when_everything_is_looked_at(doors, signer):
    [new] = write(doors)
    old = UUID(int=new.int - (3_600_000 << 80))
    now = made_at(new)
    seal(doors, signer, now)
    write(doors, id=old, recorded_at=now)
    assert seal(doors, signer, now) is None
    [finding] = verify(doors, signer, now=now)
    assert (finding.kind, finding.events) == ("unsealed", (old,))
    assert seal(doors, signer, now, back=None).size == 2


def test_an_event_that_goes_on_waiting_is_late(doors, signer):
    with doors.reading() as db:
        assert not sealing.is_late(db, now=NOW)
    [event] = write(doors)
    for seconds, late in ((59, False), (61, True)):
        with doors.reading() as db:
            assert sealing.is_late(db, now=made_at(event) + timedelta(seconds=seconds)) == late
    seal(doors, signer)
    with doors.reading() as db:
        assert not sealing.is_late(db, now=made_at(event) + timedelta(days=1))


def test_a_thousand_events_of_many_writers_are_sealed_once_each(doors, signer):
    stop = Event()

    def keep_sealing():
        while not stop.is_set():
            seal(doors, signer)

    threads = [Thread(target=keep_sealing) for _ in range(2)]
    writers = [Thread(target=lambda: [write(doors, 25) for _ in range(10)]) for _ in range(4)]
    for thread in threads + writers:
        thread.start()
    for writer in writers:
        writer.join()
    stop.set()
    for thread in threads:
        thread.join()
    seal(doors, signer)
    with doors.reading() as db:
        leaves = sealing.leaves(db, 0)
        assert {leaf.event for leaf in leaves} == set(db.scalars(select(AuditEvent.id)))
        assert set(Counter(leaf.event for leaf in leaves).values()) == {1}
        assert db.scalar(select(func.max(TreeHead.size))) == len(leaves) == 1000
    assert verify(doors, signer) == []


def test_a_seal_is_undone_with_its_transaction(doors, signer):
    write(doors)
    with doors.transaction() as db:
        assert sealing.seal(db, signer=signer, now=NOW).size == 1
        db.rollback()
    with doors.reading() as db:
        assert db.scalar(select(func.count()).select_from(AuditLeaf)) == 0
    assert seal(doors, signer).size == 1


def test_a_long_row_of_events_is_sealed_in_pieces(doors, signer, monkeypatch):
    monkeypatch.setattr(sealing, "AT_ONCE", 4)
    write(doors, 10)
    assert [getattr(seal(doors, signer), "size", 0) for _ in range(4)] == [4, 8, 10, 0]
    assert verify(doors, signer) == []


def test_each_event_is_proven_without_the_database(doors, signer):
    events = write(doors, 3)
    seal(doors, signer)
    events += write(doors, 4)
    seal(doors, signer)
    for index, event in enumerate(events):
        with doors.reading() as db:
            proof = auditing.prove(db, event, log=signer.verifier)
        head, at, entry = check_proof(proof, log=signer.verifier)
        assert (head.size, at) == (7, index)
        assert event.hex in entry.decode()
        with pytest.raises(BadProof):
            check_proof(proof.replace(f"index {index}", f"index {index + 1}"), log=signer.verifier)


def test_an_event_is_proven_in_the_head_that_was_cosigned(doors, signer):
    first, second = [(write(doors), seal(doors, signer)) for _ in range(2)]
    log, note = signer.verifier, first[1].note
    with doors.reading() as db:
        head, at, _ = check_proof(auditing.prove(db, first[0][0], log=log, head=note), log=log)
        assert (head.size, at) == (1, 0)
        with pytest.raises(NotFound):
            auditing.prove(db, second[0][0], log=log, head=note)
        with pytest.raises(BadProof):
            auditing.prove(db, first[0][0], log=log, head=note.replace("\n1\n", "\n2\n"))


def test_what_is_not_sealed_is_not_proven(doors, signer):
    log = signer.verifier
    for what in (UUID(int=1), 0):
        with doors.reading() as db, pytest.raises(NotFound):
            auditing.prove(db, what, log=log)
    write(doors)
    seal(doors, signer)
    [event] = write(doors)
    with doors.reading() as db, pytest.raises(NotFound):
        auditing.prove(db, event, log=log)


def test_a_tree_is_proven_to_have_grown(doors, signer):
    log, heads = signer.verifier, []
    for count in (1, 2, 5, 1, 9):
        write(doors, count)
        heads.append(opened(seal(doors, signer).note, log))
    with doors.reading() as db:
        for held in heads:
            told = auditing.prove(db, held.size, log=log)
            assert check_growth(told, log=log, held=held) == heads[-1]
            with pytest.raises(BadProof):
                check_growth(told, log=log, held=replace(held, root=bytes(32)))
        with pytest.raises(BadProof, match="the head that is held has size 18, not 9"):
            check_growth(auditing.prove(db, 9, log=log), log=log, held=heads[-1])
        with pytest.raises(NotFound):
            auditing.prove(db, 19, log=log)


def test_a_quiet_hour_has_a_head_too(doors, signer):
    assert seal(doors, signer, NOW) is None
    write(doors)
    seal(doors, signer, NOW)
    assert seal(doors, signer, NOW + timedelta(minutes=59)) is None
    assert seal(doors, signer, NOW + timedelta(hours=1)).size == 2
    assert seal(doors, signer, NOW + timedelta(hours=1, minutes=59)) is None
    [dated_back] = write(doors, recorded_at=NOW + timedelta(minutes=30))
    later = NOW + timedelta(hours=2)
    seal(doors, signer, later)
    [found] = verify(doors, signer, now=later)
    assert (found.kind, found.events) == ("back_dated", (dated_back,))
