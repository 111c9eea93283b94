"""An attacker who owns the database, the host and the audit key, and a log worth attacking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy import insert as core_insert
from sqlalchemy.orm import Session

from healthcert.db import Doors
from healthcert.gateways import seal_files
from healthcert.gateways.note_keys import NoteSigner, make_note_key
from healthcert.models import AuditEvent, AuditLeaf, TreeHead, new_id, triggers
from healthcert.services import auditing, sealing
from healthcert.transparency.comparing import Finding, Source
from healthcert.transparency.merkle import Edge, leaf_hash
from healthcert.transparency.notes import WITNESS, Checkpoint, Verifier, signed
from healthcert.transparency.seals import Seal
from healthcert.witness import cosign
from tests.factories import NOW, make_event

SEALS, EVERY = 6, 4  # seals, and events in each


@dataclass(frozen=True)
class Witness:
    """A witness with a key and a memory of its own."""

    state: Path
    log: Verifier
    signer: NoteSigner

    def cosign(self, seals: Iterable[Seal]) -> str:
        return cosign(seals, self.state, log=self.log, signer=self.signer, now=NOW)


@dataclass
class Log:
    """A service that seals, three witnesses who saw every seal, and its own files.

    Attributes:
        events: What was written, in the order of the tree.
    """

    doors: Doors
    signer: NoteSigner
    folder: Path
    events: list[UUID] = field(default_factory=list)

    def run(self) -> None:
        """Write events and seal them, a minute apart; keep each seal in files."""
        (self.folder / "files").mkdir(parents=True)
        for number in range(SEALS):
            self.write_and_seal(number)

    def write_and_seal(self, number: int, **values: object) -> None:
        now = NOW + timedelta(minutes=number)
        with self.doors.transaction() as db:
            made = [make_event(db, recorded_at=now, subject_id=new_id(), **values)
                    for _ in range(EVERY)]  # fmt: skip
        self.events += sorted(event.id for event in made)
        with self.doors.transaction() as db:
            sealing.seal(db, signer=self.signer, now=now)
        with self.doors.reading() as db:
            new = list(sealing.seals_after(db, EVERY * number))
        seal_files.append(self.folder / "files" / "all.seals", new)

    def witness(self, name: str) -> Witness:
        """Return a witness with a key and a memory of its own."""
        state = self.folder / name
        state.mkdir(parents=True, exist_ok=True)
        made = make_note_key(state / "key.pem", name, WITNESS, passphrase=b"words")
        signer = NoteSigner.open(state / "key.pem", made, passphrase=b"words")
        return Witness(state, self.signer.verifier, signer)

    def files(self) -> Source:
        """Return the service's own files as a source."""
        seals = seal_files.read(self.folder / "files")
        return Source.of("files", seals, log=self.signer.verifier)

    def evidence(self, witness: Witness) -> Source:
        """Return what a witness remembers as a source."""
        return Source.of(
            witness.signer.verifier.name, seal_files.read(witness.state),
            log=self.signer.verifier, witness=witness.signer.verifier,
        )  # fmt: skip

    def verify(self, db: Session, *sources: Source, now: datetime = NOW) -> list[Finding]:
        """Return what the auditor finds."""
        return auditing.verify(db, log=self.signer.verifier, sources=sources, now=now)


@contextmanager
def attack(doors: Doors) -> Iterator[Session]:
    """Give a transaction in which no trigger stands in the way; nothing of it stays."""
    with doors.transaction() as db:
        triggers.drop(db.connection())
        yield db
        db.rollback()


def order_of(db: Session) -> list[UUID]:
    """Return the events as the tree has them."""
    return list(db.scalars(select(AuditLeaf.event_id).order_by(AuditLeaf.position)))


def rebuild(db: Session, signer: NoteSigner, order: Sequence[UUID]) -> None:
    """Make a whole new tree over these events as they stand, and sign all its heads."""
    times = list(db.scalars(select(TreeHead.sealed_at).order_by(TreeHead.size)))
    for table in (TreeHead, AuditLeaf):
        db.execute(delete(table))
    rows = {
        UUID(row.id if isinstance(row.id, str) else row.id.decode()): leaf_hash(auditing.entry(row))
        for row in db.execute(select(*auditing.EVENT))
    }
    edge, heads = Edge(), []
    for event in order:
        edge = edge.grown([rows[event]])
        if edge.size % EVERY == 0 or edge.size == len(order):
            told = Checkpoint(signer.verifier.name, edge.size, edge.root).text
            at = times[min((edge.size - 1) // EVERY, len(times) - 1)]
            head = {"size": edge.size, "sealed_at": at, "root": edge.root}
            note = signed(told, [signer.sign(told)])
            heads.append(head | {"edge": b"".join(edge.peaks), "note": note})
    leaves = [{"position": position, "event_id": event, "hash": rows[event]}
              for position, event in enumerate(order)]  # fmt: skip
    db.execute(core_insert(AuditLeaf), leaves)
    db.execute(core_insert(TreeHead), heads)
    db.expire_all()


def do(db: Session, signer: NoteSigner, name: str, at: int) -> UUID:
    """Do a deed, and cover it by a whole new tree; return whom it was done to."""
    order, event = DEEDS[name][0](db, order_of(db), at)
    db.flush()
    rebuild(db, signer, order)
    return event


Deed = Callable[[Session, list[UUID], int], tuple[list[UUID], UUID]]


def edit(db: Session, order: list[UUID], at: int) -> tuple[list[UUID], UUID]:
    db.execute(update(AuditEvent).where(AuditEvent.id == order[at]).values(act="something_else"))
    return order, order[at]


def hide_the_actor(db: Session, order: list[UUID], at: int) -> tuple[list[UUID], UUID]:
    db.execute(update(AuditEvent).where(AuditEvent.id == order[at]).values(actor_id=new_id()))
    return order, order[at]


def set_the_clock_back(db: Session, order: list[UUID], at: int) -> tuple[list[UUID], UUID]:
    earlier = NOW - timedelta(minutes=5)
    db.execute(update(AuditEvent).where(AuditEvent.id == order[at]).values(recorded_at=earlier))
    return order, order[at]


def remove(db: Session, order: list[UUID], at: int) -> tuple[list[UUID], UUID]:
    db.execute(delete(AuditEvent).where(AuditEvent.id == order[at]))
    return order[:at] + order[at + 1 :], order[at]


def insert(db: Session, order: list[UUID], at: int) -> tuple[list[UUID], UUID]:
    made = make_event(db, recorded_at=NOW, subject_id=new_id()).id
    return [*order[:at], made, *order[at:]], made


def replace(db: Session, order: list[UUID], at: int) -> tuple[list[UUID], UUID]:
    others, _ = remove(db, order, at)
    return insert(db, others, at)


def move(db: Session, order: list[UUID], at: int) -> tuple[list[UUID], UUID]:  # noqa: ARG001
    others = order[:at] + order[at + 1 :]
    place = (at + len(order) // 2) % len(order)
    return [*others[:place], order[at], *others[place:]], order[at]


DEEDS: dict[str, tuple[Deed, str]] = {
    "edit": (edit, "edited"), "hide the actor": (hide_the_actor, "edited"),
    "set the clock back": (set_the_clock_back, "edited"), "remove": (remove, "removed"),
    "insert": (insert, "inserted"), "replace": (replace, "inserted"), "move": (move, "reordered"),
}  # fmt: skip
