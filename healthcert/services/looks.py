"""Looks at a person's record by others: written down with their reason, and told to the person."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, TooMany, TooManyLooks
from healthcert.models import Appointment, AuditEvent, ClinicSession, Site, Slot, Staff
from healthcert.services import audit, limits

REASONS = (
    "care", "registration", "correction", "complaint", "oversight", "safety", "request", "call",
)  # fmt: skip
FOR_THEM = "for_them"  # the reason of who acts for somebody

SEEN = "record_seen"
_SAME_LOOK, _HALF_A_DAY = timedelta(hours=1), timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Access:
    """One look at a person's record by somebody else."""

    at: datetime
    role: str  # what the member of staff is; of somebody who acts for the person, as what
    site: Mapping[str, str]  # names of their site by language; empty for those without one
    reason: str  # one of `REASONS`, or `FOR_THEM`; ``care`` for looks from before there were any
    who: UUID | None  # the member of staff, or the person who acted


def seen(
    db: Session, *, staff: Staff, person_id: UUID, reason: str, now: datetime,
    details: Mapping[str, audit.Detail] = MappingProxyType({}), listed: bool = False,
) -> None:  # fmt: skip
    """Write down that a member of staff was shown a person's record, and why.

    People who are not expected at their own site now use up a budget, each of them once an hour;
    `listed` says that they are: they come from its day list.

    Raises:
        BadInput: The reason is none of `REASONS`.
        TooManyLooks: The budget is used up; before that, an alarm was raised.
        ValueError: A detail is a text that is no code.
    """
    if reason not in REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    if not listed and not _expected(db, staff, person_id, now):
        try:
            for name in ("view_hour", "view_day"):
                limits.spend(
                    db, name=name, identity=staff.id.hex, about=("staff", staff.id), now=now
                )
        except TooMany as full:
            raise TooManyLooks(full.until) from None
    audit.of_person(
        db, audit.Actor("staff", staff.id), SEEN, person_id, now, reason=reason, **details
    )


def all_seen(
    db: Session, *, staff: Staff, person_ids: Collection[UUID], reason: str, now: datetime
) -> None:
    """Write down that a member of staff was shown people on a list of their site.

    One who was shown within half an hour is not written down again: they can be opened as long.
    """
    looked = select(AuditEvent.subject_id).filter_by(
        subject_kind="person", act=SEEN, actor_id=staff.id
    )
    looked = looked.where(AuditEvent.subject_id.in_(person_ids))
    known = set(db.scalars(looked.where(AuditEvent.recorded_at > now - _SAME_LOOK / 2)))
    for person_id in dict.fromkeys(person_ids):
        if person_id not in known:
            seen(db, staff=staff, person_id=person_id, reason=reason, now=now, listed=True)


def access_log(db: Session, *, person_id: UUID) -> list[Access]:
    """Return who else was shown a person's record and why, the newest look first."""
    query = (
        select(AuditEvent, Staff.role, Site.names)
        .outerjoin(Staff, Staff.id == AuditEvent.actor_id)
        .outerjoin(Site, Site.id == Staff.site_id)
        .where(AuditEvent.subject_kind == "person", AuditEvent.subject_id == person_id)
        .where(AuditEvent.act == SEEN)
        .order_by(AuditEvent.recorded_at.desc(), AuditEvent.id.desc())
    )
    return [
        Access(
            at=event.recorded_at, role=event.details.get("as", role), site=names or {},
            reason=event.details.get("reason", "care"), who=event.actor_id,
        )
        for event, role, names in db.execute(query)
    ]  # fmt: skip


def just_seen(staff_id: UUID, person_id: UUID, now: datetime) -> Select[UUID]:
    """Return how to ask whether a member of staff was shown somebody within the last hour."""
    looked = select(AuditEvent.id).filter_by(
        subject_kind="person", subject_id=person_id, act=SEEN, actor_id=staff_id
    )
    return looked.where(AuditEvent.recorded_at > now - _SAME_LOOK)


def _expected(db: Session, staff: Staff, person_id: UUID, now: datetime) -> bool:
    """Say whether somebody comes to a member of staff's site today, or was just looked at."""
    looked = just_seen(staff.id, person_id, now)
    comes = (
        select(Appointment.id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(Appointment.person_id == person_id, ClinicSession.site_id == staff.site_id)
        .where(Appointment.starts_at.between(now - _HALF_A_DAY, now + _HALF_A_DAY))
    )
    return bool(db.scalar(select(or_(looked.exists(), comes.exists()))))
