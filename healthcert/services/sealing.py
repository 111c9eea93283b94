"""Seal the audit: every event becomes a leaf, and the head of the tree is signed.

The caller's transaction sees what was committed before it. Events are written by many, so one
may be committed after a later one was sealed: what makes an event due is that it has no leaf.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Uuid, bindparam, exists, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from healthcert.gateways.note_keys import NoteSigner
from healthcert.models import AuditEvent, AuditLeaf, Base, TreeHead
from healthcert.models.sqlite_types import rule_of
from healthcert.services import audit
from healthcert.services.audit import SYSTEM, Subject
from healthcert.transparency.merkle import HASH_BYTES, Edge
from healthcert.transparency.notes import Checkpoint, signed
from healthcert.transparency.seals import Leaf, Seal

LATE = timedelta(minutes=1)
IDLE = timedelta(hours=1)  # a head at least so often, against back-dating into a quiet gap
AT_ONCE = 50_000  # events of one seal at most
LOOK_BACK = timedelta(minutes=2)  # longer than a deed's transaction takes
UNSEALED = ~exists().where(AuditLeaf.event_id == AuditEvent.id)
_LOCK = 7233180151
_FIRST = UUID(int=0)

# `auditing.entry` says the same in Python, and is what judges.
_HASH = {
    "postgresql": r"""
        sha256('\x00'::bytea || convert_to(concat(
          '1', chr(10), replace(e.id::text, '-', ''), chr(10),
          to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), chr(10),
          replace(e.actor_id::text, '-', ''), chr(10),
          replace(e.subject_id::text, '-', ''), chr(10),
          length(e.actor_kind), ':', e.actor_kind, ',', length(e.act), ':', e.act, ',',
          length(e.subject_kind), ':', e.subject_kind, ',',
          length(e.details::text), ':', e.details::text), 'UTF8'))
    """,
    "sqlite": """
        leaf_hash(CAST('1' || char(10) || e.id || char(10) || e.recorded_at || char(10)
          || coalesce(e.actor_id, '') || char(10) || coalesce(e.subject_id, '') || char(10)
          || length(e.actor_kind) || ':' || e.actor_kind || ',' || length(e.act) || ':' || e.act
          || ',' || length(e.subject_kind) || ':' || e.subject_kind
          || ',' || length(e.details) || ':' || e.details AS BLOB))
    """,
}
_SEAL = """
    INSERT INTO audit_leaf (position, event_id, hash)
    SELECT :size - 1 + row_number() OVER (ORDER BY e.id), e.id, {hash}
      FROM audit_event AS e
     WHERE e.id >= :since AND {readable} AND NOT EXISTS (
           SELECT 1 FROM audit_leaf WHERE event_id = e.id AND event_id >= :since)
     ORDER BY e.id LIMIT :most
"""
# What somebody wrote past every check must not keep the others from being sealed.
_EVENT = Base.metadata.tables["audit_event"].c
_READABLE = {
    "postgresql": "true",
    "sqlite": "typeof(e.id) = 'text' AND "
    "e.recorded_at || e.actor_kind || e.act || e.subject_kind || e.details IS NOT NULL"
    + "".join(f" AND ({rule_of(column)})" for column in (_EVENT.id, _EVENT.recorded_at)),
}
_UNREADABLE = "SELECT rowid FROM audit_event AS e WHERE ({readable}) IS NOT TRUE"


def seal(
    db: Session, *, signer: NoteSigner, now: datetime, back: timedelta | None = LOOK_BACK
) -> TreeHead | None:
    """Return the new head after the events that are due; None where there is none.

    It needs a transaction of its own; a second one that seals waits for this one. `now` stands in
    the head's row, not in what is signed. `back` is how far before the newest seal to look for
    events that were committed late; None: at every event there is.
    """
    if db.get_bind().dialect.name == "postgresql":  # on SQLite only one writes at a time
        db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    head = newest(db)
    edge = edge_of(head)
    since = _FIRST if back is None else _since(db, head, back)
    added = _placed(db, edge.size, since)
    last = sealed_at(head) if head else now
    if not added and (last is None or now - last >= IDLE):
        audit.note(
            db, actor=SYSTEM, act="audit_idle", subject=Subject("tree_head"), details={}, now=now
        )
        db.flush()
        added = _placed(db, edge.size, since)
    if not added:
        return None
    edge = edge.grown(added)
    told = Checkpoint(signer.verifier.name, edge.size, edge.root).text
    made = TreeHead(
        size=edge.size, sealed_at=now, root=edge.root, edge=b"".join(edge.peaks),
        note=signed(told, [signer.sign(told)]),
    )  # fmt: skip
    db.add(made)
    db.flush()
    return made


def _placed(db: Session, size: int, since: UUID) -> Sequence[bytes]:
    """Return the hashes of the events that are due, after giving each its place."""
    engine = db.get_bind().dialect.name
    due = text(_SEAL.replace("{hash}", _HASH[engine]).replace("{readable}", _READABLE[engine]))
    told = {"size": size, "since": since, "most": AT_ONCE}
    db.execute(due.bindparams(bindparam("since", type_=Uuid())), told)
    hashes = select(AuditLeaf.hash).where(AuditLeaf.position >= size)
    return db.scalars(hashes.order_by(AuditLeaf.position)).all()


def newest(db: Session) -> TreeHead | None:
    """Return the newest head; None before the first seal."""
    return db.scalar(select(TreeHead).order_by(TreeHead.size.desc()).limit(1))


def sealed_at(head: TreeHead) -> datetime | None:
    """Return when a head was made; None where somebody wrote what is no time past every check."""
    with suppress(ValueError, TypeError, OperationalError):  # the last: text that is no UTF-8
        return head.sealed_at
    return None


def edge_of(head: TreeHead | None) -> Edge:
    """Return the edge that a head keeps; that of the empty tree for None."""
    if head is None:
        return Edge()
    peaks = (head.edge[at : at + HASH_BYTES] for at in range(0, len(head.edge), HASH_BYTES))
    return Edge(head.size, tuple(peaks))


def leaves(db: Session, first: int, end: int | None = None) -> list[Leaf]:
    """Return the leaves from one position on, to before another."""
    query = select(AuditLeaf.event_id, AuditLeaf.hash).where(AuditLeaf.position >= first)
    if end is not None:
        query = query.where(AuditLeaf.position < end)
    return [Leaf(*row) for row in db.execute(query.order_by(AuditLeaf.position))]


def seals_after(db: Session, size: int) -> Iterator[Seal]:
    """Give each seal after a size, in order."""
    query = select(TreeHead).where(TreeHead.size > size).order_by(TreeHead.size)
    for head in db.scalars(query.execution_options(yield_per=100)):
        yield Seal(head.note, sealed_at(head), tuple(leaves(db, size, head.size)), edge_of(head))
        size = head.size


def is_late(db: Session, *, now: datetime) -> bool:
    """Say whether an event waits for its seal longer than it should."""
    since = _since(db, newest(db), LOOK_BACK)
    due = AuditEvent.id < id_at(now - LATE)
    return bool(db.scalar(select(exists().where(AuditEvent.id >= since, due, UNSEALED))))


def unreadable(db: Session) -> list[int]:
    """Return the rows of events that nobody can read, and that are therefore not sealed."""
    if db.get_bind().dialect.name != "sqlite":  # the types of the others keep such rows out
        return []
    return list(db.scalars(text(_UNREADABLE.replace("{readable}", _READABLE["sqlite"]))))


def _since(db: Session, head: TreeHead | None, back: timedelta) -> UUID:
    """Return the identifier from which on an event may not be sealed yet."""
    last = db.scalar(select(AuditLeaf.event_id).order_by(AuditLeaf.position.desc()).limit(1))
    made = sealed_at(head) if head else None
    if made is None or last is None:
        return _FIRST
    span = int(back.total_seconds() * 1000) << 80
    return min(id_at(made - back), UUID(int=max(0, last.int - span)))


def id_at(moment: datetime) -> UUID:
    """Return the least identifier made at a moment (UUIDv7: milliseconds in its first 48 bits)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
