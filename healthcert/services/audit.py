"""Write down who did what, inside the deed itself.

Details hold codes, numbers and identifiers of rows. Names, addresses and words that a person
typed have no place here, and are refused by their type and shape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import AuditEvent, Site, Staff

REASONS = (
    "care", "registration", "correction", "complaint", "oversight", "safety", "request",
)  # fmt: skip
FOR_THEM = "for_them"  # the reason of who acts for somebody

Detail = str | int | bool | UUID | None

SEEN = "record_seen"
_CODE = re.compile(r"[a-z0-9_./:-]{1,64}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does a deed."""

    kind: Literal["citizen", "staff", "system"]
    id: UUID | None = None


SYSTEM = Actor("system")
STRANGER = Actor("citizen")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a deed is about: the name of a table and, where there is one, the row."""

    kind: str
    id: UUID | None = None


def note(
    db: Session,
    *,
    actor: Actor,
    act: str,
    subject: Subject,
    details: Mapping[str, Detail],
    now: datetime,
) -> None:
    """Add one audit event to the transaction of the deed it tells of.

    Raises:
        ValueError: A detail is a text that is no code; this is our mistake, never a person's.
    """
    db.add(
        AuditEvent(
            recorded_at=now,
            actor_kind=actor.kind,
            actor_id=actor.id,
            act=act,
            subject_kind=subject.kind,
            subject_id=subject.id,
            details={name: _plain(name, value) for name, value in details.items()},
        )
    )


def of_person(
    db: Session, actor: Actor, act: str, person_id: UUID | None, now: datetime, **details: Detail
) -> None:
    """Add an event about a person, or about nobody known, to the transaction of its deed."""
    subject = Subject("person", person_id)
    note(db, actor=actor, act=act, subject=subject, details=details, now=now)


@dataclass(frozen=True, slots=True)
class Access:
    """One look at a person's record by somebody else.

    Attributes:
        at: When.
        role: What the member of staff is; of somebody who acts for the person, as what.
        site: Names of their site by language; empty for those without one.
        reason: One of `REASONS`, or `FOR_THEM`; ``care`` for looks from before there were any.
        who: The member of staff, or the person who acted.
    """

    at: datetime
    role: str
    site: Mapping[str, str]
    reason: str
    who: UUID | None


def seen(
    db: Session,
    *,
    staff: Staff,
    person_id: UUID,
    reason: str,
    now: datetime,
    details: Mapping[str, Detail] = MappingProxyType({}),
) -> None:
    """Write down that a member of staff was shown a person's record, and why.

    Raises:
        BadInput: The reason is none of `REASONS`.
        ValueError: A detail is a text that is no code.
    """
    if reason not in REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    of_person(db, Actor("staff", staff.id), SEEN, person_id, now, reason=reason, **details)


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
            at=event.recorded_at,
            role=event.details.get("as", role),
            site=names or {},
            reason=event.details.get("reason", "care"),
            who=event.actor_id,
        )
        for event, role, names in db.execute(query)
    ]


def _plain(name: str, value: Detail) -> str | int | bool | None:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and not _CODE.fullmatch(value):
        raise ValueError(f"the audit detail {name} is no code")
    return value
