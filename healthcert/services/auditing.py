"""Hold the audit against what was signed, prove what it holds, export it."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, Row, Text, cast, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound
from healthcert.models import AuditEvent, AuditLeaf, TreeHead
from healthcert.services import sealing
from healthcert.transparency.comparing import Finding, Sealed, Source, compare, named
from healthcert.transparency.merkle import consistency_proof, inclusion_proof, leaf_hash
from healthcert.transparency.notes import Verifier, opened
from healthcert.transparency.seals import Leaf, Seal, write_proof

_AT_ONCE = 5_000  # rows
# As it lies there, unread: whoever passed the checks by must be named, not stop the reading.
_RAW = Text().with_variant(LargeBinary(), "sqlite")
EVENT = tuple(
    cast(column, _RAW).label(column.key)
    for column in (
        AuditEvent.id, AuditEvent.recorded_at, AuditEvent.actor_id, AuditEvent.subject_id,
        AuditEvent.actor_kind, AuditEvent.act, AuditEvent.subject_kind, AuditEvent.details,
    )
)  # fmt: skip
_LEAF = (cast(AuditLeaf.event_id, _RAW).label("event"), cast(AuditLeaf.hash, LargeBinary))
_HEAD = (cast(TreeHead.note, _RAW).label("note"), cast(TreeHead.sealed_at, _RAW).label("at"))


def entry(event: Row[*tuple[Any, ...]]) -> bytes:
    """Return what the tree holds of an event: its row as `docs/audit.md` writes it down, UTF-8."""
    texts = (event.actor_kind, event.act, event.subject_kind, event.details)
    lines = (
        "1", _digits(event.id), _written(event.recorded_at),
        *map(_digits, (event.actor_id, event.subject_id)),
        ",".join(f"{len(text)}:{text}" for text in map(_text, texts)),
    )  # fmt: skip
    return "\n".join(lines).encode(errors="surrogateescape")


def verify(
    db: Session, *, log: Verifier, sources: Sequence[Source], now: datetime
) -> list[Finding]:
    """Return what is not as it was sealed; empty when the whole record holds.

    `db` is a snapshot; `log` the log's verifier key, from a place that the record's keeper cannot
    change; `sources` what was kept elsewhere: by witnesses, in files, in a bundle.
    """
    heads = [Seal(_text(head.note), _moment(head.at)) for head in db.execute(select(*_HEAD))]
    found = compare(_record(db), [Source.of("record", heads, log=log), *sources])
    rows = [f"row {row} of audit_event" for row in sealing.unreadable(db)]
    rows += [f"the head {head.note!r}" for head in heads if head.at is None]
    found += [Finding("unreadable", f"{row} tells what nobody can read", "record") for row in rows]
    due = sealing.id_at(now - sealing.LATE)
    waiting = map(_id, db.scalars(select(EVENT[0]).where(sealing.UNSEALED)))
    return found + [
        named("unsealed", event, "has no place in the tree") for event in waiting if event < due
    ]


def prove(db: Session, what: UUID | int, *, log: Verifier, head: str | None = None) -> str:
    """Return a proof of an event (tlog-proof@v1), or that the tree grew since it had a size.

    The latter is also what other witnesses are asked with (add-checkpoint, c2sp.org/tlog-witness).
    `head` is one of ours, as a witness cosigned it; None: the newest. `db` is a snapshot.

    Raises:
        NotFound: There is no such event or size, or it is not in the tree of this head.
        BadProof: The head is none of the log.
    """
    newest = sealing.newest(db)
    note = head or (newest.note if newest else "")
    if not note:
        raise NotFound("nothing is sealed yet")
    size = opened(note, log).size
    hashes = [leaf.hash for leaf in sealing.leaves(db, 0, size)]
    if isinstance(what, int):
        if what > len(hashes):
            raise NotFound(f"there is no tree of {what} events in one of {size}")
        return write_proof(what, consistency_proof(hashes, what), note)
    event = db.execute(select(*EVENT).where(AuditEvent.id == what)).one_or_none()
    at = db.scalar(select(AuditLeaf.position).filter_by(event_id=what))
    if event is None or at is None or at >= size:
        raise NotFound(f"no event {what} was sealed in a tree of {size}")
    return write_proof((at, entry(event)), inclusion_proof(hashes, at), note)


def export(db: Session) -> Iterator[str]:
    """Give each sealed event as a line of JSON, in the order of the tree; nobody is named in it."""
    for position, row in enumerate(_rows(db)):
        if row.id is not None:
            told = {name: value and _text(value) for name, value in row._mapping.items()}  # noqa: SLF001 - SQLAlchemy's name for the row as a mapping
            told |= {"entry": _text(entry(row)), "hash": row.hash.hex()}
            yield json.dumps({"position": position, **told})


def _rows(db: Session) -> Iterator[Row[*tuple[Any, ...]]]:
    """Give every leaf in the order of the tree, with its event."""
    joined = select(*_LEAF, *EVENT).outerjoin(AuditEvent, AuditEvent.id == AuditLeaf.event_id)
    ordered = joined.order_by(AuditLeaf.position).execution_options(yield_per=_AT_ONCE)
    yield from db.execute(ordered)


def _record(db: Session) -> Iterator[Sealed]:
    for row in _rows(db):
        now = None if row.id is None else leaf_hash(entry(row))
        yield Sealed(Leaf(_id(row.event), row.hash or b""), now, _moment(row.recorded_at))


def _text(value: bytes | str | None) -> str:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)


def _digits(value: bytes | str | None) -> str:
    return "" if value is None else _text(value).replace("-", "") or "-"


def _written(moment: bytes | str | None) -> str:
    """Return a time as SQLite keeps it; PostgreSQL shows it in the zone of the session."""
    told = _moment(moment) if isinstance(moment, str) else None
    return f"{told:%Y-%m-%d %H:%M:%S.%f}" if told else _text(moment)


def _moment(value: bytes | str | None) -> datetime | None:
    """Return a time in UTC, in which SQLite's is that tells no zone; None where it is none."""
    try:
        told = datetime.fromisoformat(_text(value))
        return told.replace(tzinfo=told.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _id(value: bytes | str | None) -> UUID:
    try:
        return UUID(_text(value))
    except ValueError:
        return UUID(int=0)
