"""Hold the audit against what was signed, prove and export it, and have it witnessed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, String, Text, cast, select, type_coerce
from sqlalchemy.orm import Session

from healthcert.errors import BadProof, NotFound
from healthcert.models import AuditEvent, AuditLeaf, Cosignature, TreeHead
from healthcert.services import sealing
from healthcert.transparency.comparing import compare
from healthcert.transparency.evidence import Finding, Sealed, Source
from healthcert.transparency.merkle import consistency_proof, inclusion_proof, leaf_hash
from healthcert.transparency.notes import Verifier, cosigned_at, parts
from healthcert.transparency.seals import Leaf, Seal, write_proof, write_request

_AT_ONCE = 5_000  # rows
_TIME = "%Y-%m-%d %H:%M:%S.%f"
# As it lies there: whoever passed the checks by must be named, not stop the reading.
EVENT = (
    *(
        type_coerce(column, String).label(column.key)
        for column in (
            AuditEvent.id,
            AuditEvent.recorded_at,
            AuditEvent.actor_id,
            AuditEvent.subject_id,
            AuditEvent.actor_kind,
            AuditEvent.act,
            AuditEvent.subject_kind,
        )
    ),
    cast(AuditEvent.details, Text).label("details"),
)


def entry(event: Row[*tuple[Any, ...]]) -> bytes:
    """Return what the tree holds of an event: its row as `docs/audit.md` writes it down, UTF-8."""
    texts = (event.actor_kind, event.act, event.subject_kind, event.details)
    lines = (
        "1",
        _digits(event.id),
        _written(event.recorded_at),
        *map(_digits, (event.actor_id, event.subject_id)),
        ",".join(f"{len(text)}:{text}" for text in map(str, texts)),
    )
    return "\n".join(lines).encode(errors="surrogatepass")


def verify(
    db: Session, *, log: Verifier, sources: Sequence[Source], now: datetime
) -> list[Finding]:
    """Return what is not as it was sealed; empty when the whole record holds.

    Args:
        db: A snapshot.
        log: The log's verifier key, from a place that the record's keeper cannot change.
        sources: What was kept elsewhere: by witnesses, in files, in a bundle.
        now: Events older than a minute must be sealed.
    """
    heads = db.scalars(select(TreeHead).execution_options(yield_per=_AT_ONCE))
    own = Source.of("record", (Seal(head.note, head.sealed_at) for head in heads), log=log)
    found = compare(_record(db), [own, *sources])
    return found + [
        Finding("unsealed", f"event {event} has no place in the tree", "record", (event,))
        for event in sealing.unsealed(db, before=now - sealing.LATE)
    ]


def prove(db: Session, event_id: UUID) -> str:
    """Return a proof that an event is in the newest tree (c2sp.org/tlog-proof@v1).

    Raises:
        NotFound: There is no such event, or it is not sealed yet.
    """
    event = db.execute(select(*EVENT).where(AuditEvent.id == event_id)).one_or_none()
    at = db.scalar(select(AuditLeaf.position).filter_by(event_id=event_id))
    head = sealing.newest(db)
    if event is None or at is None or head is None:
        raise NotFound(f"no sealed event {event_id}")
    hashes = [leaf.hash for leaf in sealing.leaves(db, 0, head.size)]
    proof = inclusion_proof(hashes, at)
    return write_proof(entry(event), at, proof, sealing.note_of(db, head))


def request(db: Session, *, since: int) -> str:
    """Return what to ask a witness who holds the tree of a size (0: none yet).

    Raises:
        NotFound: Nothing is sealed, or no head of ours had that size.
    """
    head, old = sealing.newest(db), db.get(TreeHead, since)
    if head is None or (since and old is None):
        raise NotFound(f"no head of size {since} was signed here")
    added = [leaf.hash for leaf in sealing.leaves(db, since, head.size)]
    return write_request(since, consistency_proof(sealing.edge_of(old), added), head.note)


def take_cosignature(db: Session, lines: str, *, witnesses: Collection[Verifier]) -> list[str]:
    """Return the witnesses who cosigned our newest head with these lines; each is kept once.

    Raises:
        BadProof: No line is a cosignature of it by a witness we know.
    """
    head = sealing.newest(db)
    note = (head.note if head else "") + lines
    found = {each.name: at for each in witnesses if (at := cosigned_at(note, each)) is not None}
    if head is None or not found:
        raise BadProof("no witness that is known cosigned our newest head")
    for line in parts(note)[1]:
        name = line.split(" ")[1]
        if name in found and db.get(Cosignature, (head.size, name)) is None:
            seen = datetime.fromtimestamp(found[name], UTC)
            db.add(Cosignature(size=head.size, witness=name, cosigned_at=seen, line=line))
            db.flush()
    return sorted(found)


def export(db: Session) -> Iterator[str]:
    """Give each sealed event as a line of JSON, in the order of the tree.

    Nobody is named in it: identifiers of rows, codes and numbers, as `audit.note` lets in.
    """
    for row in _rows(db, _joined().where(AuditEvent.id.is_not(None))):
        told = {
            "position": row.position,
            "event": str(_id(row.id)),
            "recorded_at": f"{_written(row.recorded_at)}Z",
            "actor": [row.actor_kind, row.actor_id and str(_id(row.actor_id))],
            "act": row.act,
            "subject": [row.subject_kind, row.subject_id and str(_id(row.subject_id))],
            "details": json.loads(row.details),
            "entry": entry(row).decode(),
            "leaf_hash": row.hash.hex(),
        }
        yield json.dumps(told)


def _record(db: Session) -> Iterator[Sealed]:
    for row in _rows(db, _joined()):
        now = None if row.id is None else leaf_hash(entry(row))
        yield Sealed(Leaf(_id(row.event_id), row.hash), now, _moment(row.recorded_at))


def _digits(value: object) -> str:
    return str(value or "").replace("-", "")


def _written(moment: object) -> str:
    """Return a time as SQLite keeps it; PostgreSQL gives it as a datetime."""
    return f"{moment.astimezone(UTC):{_TIME}}" if isinstance(moment, datetime) else str(moment)


def _moment(value: object) -> datetime | None:
    try:
        return datetime.strptime(_written(value), _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _id(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        return UUID(int=0)


def _joined() -> Select[*tuple[Any, ...]]:
    leaf = (type_coerce(column, String) for column in (AuditLeaf.event_id, AuditLeaf.hash))
    query = select(AuditLeaf.position, *leaf, *EVENT)
    joined = query.outerjoin(AuditEvent, AuditEvent.id == AuditLeaf.event_id)
    return joined.order_by(AuditLeaf.position)


def _rows(db: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Row[*tuple[Any, ...]]]:
    yield from db.execute(query.execution_options(yield_per=_AT_ONCE))
