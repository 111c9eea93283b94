"""Write down who did what, inside the deed itself.

Details hold codes, numbers and identifiers of rows. Names, addresses and words that a person
typed have no place here, and are refused by their type and shape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from healthcert.models import AuditEvent

Detail = str | int | bool | UUID | None

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


def _plain(name: str, value: Detail) -> str | int | bool | None:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and not _CODE.fullmatch(value):
        raise ValueError(f"the audit detail {name} is no code")
    return value
