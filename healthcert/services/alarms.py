"""Alarms: what a person should look at, raised before anybody is refused."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, WrongState, there
from healthcert.models import AdverseEvent, Alarm, AuditEvent, Staff, new_id, upsert

REASONS = ("explained", "account_closed", "certificates_withdrawn", "limit_too_low")
_OVERDUE = "reaction_overdue"
SERVICE = ("service", UUID(int=0))  # what is about no row


def sound(db: Session, *, kind: str, about: tuple[str, UUID] = SERVICE, now: datetime) -> None:
    """Raise an alarm about a table's row, once: while one is open, no other of its kind is."""
    values = {
        "id": new_id(), "recorded_at": now, "kind": kind, "state": "open",
        "subject_kind": about[0], "subject_id": about[1],
    }  # fmt: skip
    raised = db.scalar(
        upsert(db, "alarm").values(values).on_conflict_do_nothing().returning(Alarm.id)
    )
    if raised is not None:
        _note(db, raised, "alarm_raised", kind, None, now)


def sound_overdue(db: Session, *, now: datetime) -> int:
    """Sound of each serious case that was to be assessed by now, once; return of how many."""
    told = exists().where(Alarm.kind == _OVERDUE, Alarm.subject_id == AdverseEvent.id)
    late = select(AdverseEvent.id).where(AdverseEvent.state.in_(("reported", "investigating")))
    found = db.scalars(late.where(AdverseEvent.due_at <= now, ~told)).all()
    for event_id in found:
        sound(db, kind=_OVERDUE, about=("adverse_event", event_id), now=now)
    return len(found)


def still_open(db: Session) -> list[Alarm]:
    """Return the alarms that are not closed, the oldest first."""
    query = select(Alarm).where(Alarm.state != "closed").order_by(Alarm.recorded_at, Alarm.id)
    return list(db.scalars(query))


def open_count(db: Session) -> int:
    """Return how many alarms are not closed."""
    return db.scalar(select(func.count()).where(Alarm.state != "closed")) or 0


def settle(db: Session, *, alarm_id: UUID, reason: str, staff: Staff, now: datetime) -> Alarm:
    """Note that somebody has seen an alarm or, with one of `REASONS`, close it for good.

    Raises:
        BadInput: No such reason.
        NotFound: No such alarm.
        WrongState: It is closed already.
    """
    if reason and reason not in REASONS:
        raise BadInput({"reason": "not_a_choice"})
    alarm = there(db.get(Alarm, alarm_id, with_for_update=True, populate_existing=True))
    if alarm.state == "closed":
        raise WrongState
    alarm.seen_by, alarm.reason = staff.id, reason or None
    alarm.state = "closed" if reason else "seen"
    _note(db, alarm.id, f"alarm_{alarm.state}", alarm.kind, staff, now)
    return alarm


def _note(
    db: Session, alarm_id: UUID, act: str, kind: str, staff: Staff | None, now: datetime
) -> None:
    """Write the audit event here: `audit` itself raises alarms."""
    db.add(
        AuditEvent(
            recorded_at=now, actor_kind="staff" if staff else "system",
            actor_id=staff and staff.id, act=act, subject_kind="alarm", subject_id=alarm_id,
            details={"kind": kind},
        )
    )  # fmt: skip
