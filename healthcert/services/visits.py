"""Browser sessions as rows: found, kept and ended by the hash of their token."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from healthcert.models import Visit

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)


def find(db: Session, *, token_hash: bytes, now: datetime) -> Visit | None:
    """Return the session of a token, or None where it never was, has idled out or has ended.

    Args:
        db: The database session.
        token_hash: SHA-256 of the token.
        now: The moment asked about: idle for 30 minutes, or 12 hours old, is over.
    """
    visit = db.scalars(select(Visit).where(Visit.token_hash == token_hash)).one_or_none()
    if visit is None or now >= visit.expires_at or now >= visit.seen_at + IDLE:
        return None
    return visit


def keep(
    db: Session, *, token_hash: bytes, sealed: bytes, started_at: datetime, now: datetime
) -> None:
    """Write what a session holds, and that it was seen now."""
    visit = db.get(Visit, token_hash)
    if visit is None:
        visit = Visit(token_hash=token_hash, started_at=started_at, expires_at=started_at + LONGEST)
        db.add(visit)
    visit.sealed = sealed
    visit.seen_at = now
    db.flush()


def end(db: Session, *, token_hash: bytes) -> None:
    """Forget a session: its token opens nothing from now on."""
    db.execute(delete(Visit).where(Visit.token_hash == token_hash))


def sweep(db: Session, *, now: datetime) -> int:
    """Forget every session that is over; return how many there were."""
    over = (Visit.expires_at <= now) | (Visit.seen_at <= now - IDLE)
    gone = db.scalars(delete(Visit).where(over).returning(Visit.token_hash))
    return len(gone.all())
