"""Let go of what its time is over for, as `data/retention.toml` says, and say how much it was.

Rows go in batches, each with the audit event that counts it in one transaction: a run may end
at any moment and the next one goes on. When nothing is left, the run itself is written down
with its sums; that is the report. What may go at all is held by the database (`never_deleted`,
`certificate_fixed`, `ck_person_kept_its_time`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from healthcert.data.retention import Rule, retention
from healthcert.models import Appointment, AuditEvent, Base, Certificate, Dose, Message, Visit
from healthcert.models.interface import ApiAnswer, ApiToken
from healthcert.models.person import AccessCode, Person
from healthcert.services import audit

EVERY = timedelta(days=1)
# At once, by every round of the worker; the others once a day.
SWEPT = ("visit", "access_code", "api_answer", "api_token")
_BATCH = 500


@dataclass(frozen=True, slots=True)
class _Rows:
    """How rows are found: since when their time counts, and which; what of them is blanked."""

    since: InstrumentedAttribute[Any]
    which: tuple[ColumnElement[bool], ...] = ()
    blank: Callable[[datetime], Mapping[str, Any]] | None = None

    @property
    def table(self) -> Table:
        return Base.metadata.tables[self.since.class_.__tablename__]


def _unused(*states: str) -> _Rows:
    dose = select(Dose.id).where(Dose.appointment_id == Appointment.id).exists()
    return _Rows(Appointment.ends_at, (Appointment.state.in_(states), ~dose))


_SETTLED = Message.state != "queued"
_ROWS: Mapping[str, _Rows] = {
    "visit": _Rows(Visit.expires_at),
    "api_answer": _Rows(ApiAnswer.ends_at),
    "api_token": _Rows(ApiToken.ends_at),
    "access_code": _Rows(AccessCode.recorded_at),
    "message_text": _Rows(
        Message.due_at, (_SETTLED, Message.sealed.is_not(None)), lambda _now: {"sealed": None}
    ),
    "message": _Rows(Message.due_at, (_SETTLED,)),
    "appointment_given_up": _unused("cancelled", "rescheduled", "expired"),
    "appointment_missed": _unused("no_show", "not_vaccinated"),
    "certificate_text": _Rows(
        Certificate.expires_at,
        (Certificate.state != "intended", Certificate.sealed.is_not(None)),
        lambda now: {"sealed": None, "blanked_at": now},
    ),
    # Its time was counted from the last dose when the person was erased: `kept_until`.
    "dose": _Rows(
        Person.kept_until,
        (Person.key_gone_on.is_(None),),
        lambda now: {"sealed": None, "wrapped_key": None, "key_gone_on": now.date()},
    ),
}


def kinds() -> Mapping[str, Rule]:
    """Return the rules that a job carries out, by kind; a `KeyError` is a mistake of ours."""
    rules = retention()
    return {kind: rules[kind] for kind in _ROWS}


def due(db: Session, *, now: datetime) -> dict[str, int]:
    """Return how many rows of each kind would go now; nothing is changed."""
    count = func.count()
    return {kind: db.scalars(select(count).where(*_over(kind, now))).one() for kind in _ROWS}


def apply(db: Session, kind: str, *, now: datetime, limit: int = _BATCH) -> int:
    """Let go of at most so many rows of a kind; return how many it were."""
    rows = _ROWS[kind]
    [key] = rows.table.primary_key.columns
    found = (
        select(key)
        .where(*_over(kind, now))
        .order_by(key)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=rows.blank is not None)
    )
    these, blank = key.in_(db.scalars(found).all()), rows.blank
    change = delete(rows.table) if blank is None else update(rows.table).values(blank(now))
    count = len(db.execute(change.where(these).returning(key)).all())
    if count and kind not in SWEPT:
        _note(db, "retention_batch", {kind: count}, now)
    return count


def report(db: Session, *, now: datetime) -> dict[str, int]:
    """Write down that a run is done, and return its sums by kind since the run before."""
    told = dict.fromkeys((kind for kind in _ROWS if kind not in SWEPT), 0)
    batches = select(AuditEvent.details).where(*_are("retention_batch"))
    if (last := last_run(db)) is not None:
        batches = batches.where(AuditEvent.recorded_at > last)
    for details in db.scalars(batches):
        for kind, count in details.items():
            told[kind] += count
    _note(db, "retention_done", told, now)
    return told


def last_run(db: Session) -> datetime | None:
    """Return when a run was last done to its end; None where none was."""
    return db.scalar(select(func.max(AuditEvent.recorded_at)).where(*_are("retention_done")))


def _are(act: str) -> tuple[ColumnElement[bool], ...]:
    return (AuditEvent.subject_kind == "retention", AuditEvent.act == act)


def _over(kind: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    rows, rule = _ROWS[kind], kinds()[kind]
    ends = now.date() if rule.then == "erased" else now - rule.time
    return (rows.since <= ends, *rows.which)


def _note(db: Session, act: str, counts: Mapping[str, int], now: datetime) -> None:
    subject = audit.Subject("retention")
    audit.note(db, actor=audit.SYSTEM, act=act, subject=subject, details=counts, now=now)
