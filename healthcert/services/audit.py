"""Write down who did what, inside the deed itself.

Details hold codes, numbers and identifiers of rows. Names, addresses and words that a person
typed have no place here, and are refused by their type and shape.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from healthcert.models import AuditEvent, Row, Staff, new_id

Detail = str | int | bool | UUID | None
Rows = list[Mapping[str, object]] | None  # written by the deed itself; None: one by one

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
    rows: Rows = None,
) -> None:
    """Add one audit event to the transaction of the deed it tells of.

    A deed of many gives `rows`, and writes what is put there itself, all in one statement.

    Raises:
        ValueError: A detail is a text that is no code; this is our mistake, never a person's.
    """
    row = {
        "id": new_id(),
        "recorded_at": now,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "act": act,
        "subject_kind": subject.kind,
        "subject_id": subject.id,
        "details": {name: _plain(name, value) for name, value in details.items()},
    }
    if rows is None:
        db.add(AuditEvent(**row))
    else:
        rows.append(row)


def done(
    db: Session, act: str, row: Row, details: Mapping[str, Detail], *, by: Staff | None,
    now: datetime, rows: Rows = None,
) -> None:  # fmt: skip
    """Add the audit event of what a member of staff, or the system, did to a row."""
    actor, subject = Actor("staff", by.id) if by else SYSTEM, Subject(row.__tablename__, row.id)
    note(db, actor=actor, act=act, subject=subject, details=details, now=now, rows=rows)


def of_person(
    db: Session, actor: Actor, act: str, person_id: UUID | None, now: datetime, **details: Detail
) -> None:
    """Add an event about a person, or about nobody known, to the transaction of its deed."""
    subject = Subject("person", person_id)
    note(db, actor=actor, act=act, subject=subject, details=details, now=now)


def _plain(name: str, value: Detail) -> str | int | bool | None:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and not _CODE.fullmatch(value):
        raise ValueError(f"the audit detail {name} is no code")
    return value
