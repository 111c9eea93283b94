"""What the service's state is, in figures and warnings: never about a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.errors import NotReady
from healthcert.models import Message, SigningKey
from healthcert.models.signing_key import LISTED
from healthcert.services import desk, sealing, signing_keys

Figure = tuple[str, dict[str, str], float]  # name, labels, value
_LAST = timedelta(days=1)
_SOON = timedelta(days=30)


def keys_left(db: Session, now: datetime) -> dict[str, object]:
    """Return how many days each purpose can go on signing, and which end soon.

    Raises:
        NotReady: One of them ends within a day, stand-by keys included, or none signs.
    """
    ends: dict[str, datetime] = {}
    for key in signing_keys.every(db):
        until = _until(key) if key.state in ("active", "published") else now
        ends[key.purpose] = max(until, ends.get(key.purpose, now))
    if not ends or min(ends.values()) - now < _LAST:
        raise NotReady("no key signs certificates for a whole day more")
    left = {purpose: (end - now).days for purpose, end in ends.items()}
    soon = sorted(purpose for purpose, end in ends.items() if end - now < _SOON)
    return {"days_left": left, "ends_soon": soon}


def figures(db: Session, now: datetime) -> Iterator[Figure]:
    """Give the figures that the database knows."""
    waiting = desk.waiting(db)
    oldest = db.scalar(select(func.min(Message.recorded_at)).where(Message.state == "queued"))
    head = sealing.newest(db)
    yield "messages_queued", {}, waiting.queued
    yield "messages_oldest_seconds", {}, _age(oldest, now)
    yield "certificates_pending", {}, waiting.unsigned
    if head is not None:
        yield "audit_seal_age_seconds", {}, _age(head.sealed_at, now)
    for key in signing_keys.every(db):
        if key.state in LISTED:
            labels = {"kid": key.kid.hex(), "purpose": key.purpose, "state": key.state}
            yield "key_days_left", labels, (_until(key) - now) / timedelta(days=1)


def _until(key: SigningKey) -> datetime:
    """Until when a key signs; one laid down, until when its certificates may count."""
    return key.not_after if key.state == "retired" else key.signs_until or key.not_after


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
