"""Let go of what its time is over for, as `data/retention.toml` says, and say how much it was.

Rows go in batches, each with the audit event that counts it in one transaction: a run may end
at any moment and the next one goes on. When nothing is left, the run itself is written down
with its sums; that is the report. What may go at all is held by the database (`never_deleted`,
`certificate_fixed`, `ck_person_kept_its_time`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select, update
from sqlalchemy.orm import Session

from healthcert.data.retention import Rule, retention
from healthcert.models import AuditEvent, Base
from healthcert.services import audit

EVERY = timedelta(days=1)
SWEPT = ("visit", "access_code")  # at once, by every round of the worker; the others once a day
_BATCH = 500
_T = Base.metadata.tables
_GIVEN_UP = ("cancelled", "rescheduled", "expired")
_MISSED = ("no_show", "not_vaccinated")


@dataclass(frozen=True, slots=True)
class _Rows:
    """How the rows of a kind are found: from which column their time counts, and which of them.

    What is blanked is set to `blank`; a time among it is the moment of the deed.
    """

    table: Table
    since: ColumnElement[Any]
    which: tuple[ColumnElement[bool], ...] = ()
    blank: Mapping[str, Any] | None = None


_NOW: Any = object()
_NO_DOSE = (
    ~select(_T["dose"].c.id).where(_T["dose"].c.appointment_id == _T["appointment"].c.id).exists()
)
_ROWS: Mapping[str, _Rows] = {
    "visit": _Rows(_T["visit"], _T["visit"].c.expires_at),
    "access_code": _Rows(_T["access_code"], _T["access_code"].c.recorded_at),
    "message_text": _Rows(
        _T["message"],
        _T["message"].c.due_at,
        (_T["message"].c.state != "queued", _T["message"].c.sealed.is_not(None)),
        {"sealed": None},
    ),
    "message": _Rows(_T["message"], _T["message"].c.due_at, (_T["message"].c.state != "queued",)),
    "appointment_given_up": _Rows(
        _T["appointment"],
        _T["appointment"].c.ends_at,
        (_T["appointment"].c.state.in_(_GIVEN_UP), _NO_DOSE),
    ),
    "appointment_missed": _Rows(
        _T["appointment"],
        _T["appointment"].c.ends_at,
        (_T["appointment"].c.state.in_(_MISSED), _NO_DOSE),
    ),
    "certificate_text": _Rows(
        _T["certificate"],
        _T["certificate"].c.expires_at,
        (_T["certificate"].c.state != "intended", _T["certificate"].c.sealed.is_not(None)),
        {"sealed": None, "blanked_at": _NOW},
    ),
    # Its time was counted from the last dose when the person was erased: `kept_until`.
    "dose": _Rows(
        _T["person"],
        _T["person"].c.kept_until,
        (_T["person"].c.key_gone_on.is_(None),),
        {"sealed": None, "wrapped_key": None, "key_gone_on": _NOW},
    ),
}


def kinds() -> Mapping[str, Rule]:
    """Return the rules that a job carries out, by kind.

    Raises:
        KeyError: The file and this module do not name the same kinds; this is our mistake.
    """
    rules = retention()
    return {kind: rules[kind] for kind in _ROWS}


def due(db: Session, *, now: datetime) -> dict[str, int]:
    """Return how many rows of each kind would go now; nothing is changed."""
    return {
        kind: db.scalar(
            select(func.count()).where(*_over(rule, now)).select_from(_ROWS[kind].table)
        )
        or 0
        for kind, rule in kinds().items()
    }


def apply(db: Session, kind: str, *, now: datetime, limit: int = _BATCH) -> int:
    """Let go of at most so many rows of a kind; return how many it were."""
    rows, [key] = _ROWS[kind], _ROWS[kind].table.primary_key.columns
    found = (
        select(key)
        .where(*_over(kinds()[kind], now))
        .order_by(key)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=rows.blank is not None)
    )
    these = key.in_(db.scalars(found).all())
    if rows.blank is None:
        count = len(db.execute(delete(rows.table).where(these).returning(key)).all())
    else:
        blanking = update(rows.table).where(these).values(_blank(rows.blank, now))
        count = len(db.execute(blanking.returning(key)).all())
    if count and kind not in SWEPT:
        _note(db, "retention_batch", {kind: count}, now)
    return count


def report(db: Session, *, now: datetime) -> dict[str, int]:
    """Write down that a run is done, and return its sums by kind since the run before."""
    told = dict.fromkeys((kind for kind in _ROWS if kind not in SWEPT), 0)
    batches = select(AuditEvent.details).where(
        AuditEvent.subject_kind == "retention", AuditEvent.act == "retention_batch"
    )
    if (last := last_run(db)) is not None:
        batches = batches.where(AuditEvent.recorded_at > last)
    for details in db.scalars(batches):
        for kind, count in details.items():
            told[kind] += count
    _note(db, "retention_done", told, now)
    return told


def last_run(db: Session) -> datetime | None:
    """Return when a run was last done to its end; None where none was."""
    done = select(func.max(AuditEvent.recorded_at)).where(
        AuditEvent.subject_kind == "retention", AuditEvent.act == "retention_done"
    )
    return db.scalar(done)


def _blank(values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    moments = {"blanked_at": now, "key_gone_on": now.date()}
    return {name: moments[name] if value is _NOW else value for name, value in values.items()}


def _over(rule: Rule, now: datetime) -> tuple[ColumnElement[bool], ...]:
    rows = _ROWS[rule.kind]
    if rule.then == "erased":
        return (rows.since <= now.date(), *rows.which)
    return (rows.since <= now - rule.time, *rows.which)


def _note(db: Session, act: str, counts: Mapping[str, int], now: datetime) -> None:
    subject = audit.Subject("retention")
    audit.note(db, actor=audit.SYSTEM, act=act, subject=subject, details=counts, now=now)
