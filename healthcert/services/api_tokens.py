"""Tokens of programs: made by their owner, found by their hash, gone when they are ended."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import ApiToken, Person
from healthcert.policy.roles import Role, has
from healthcert.services import audit

LONGEST_DAYS = 366
OF_A_CITIZEN = timedelta(hours=12)
_PREFIX = "hc_"  # by which programs that look for leaked secrets know one
_SEEN_EVERY = timedelta(minutes=10)


def make(
    db: Session, *, actor: audit.Actor, name: str, ends_at: datetime, now: datetime,
    role: Role = Role.CITIZEN, acts: Collection[str] = (), reads_only: bool = False,
) -> str:  # fmt: skip
    """Return a new token of somebody, who are the `actor`; it is told this once.

    Raises:
        BadInput: It has no name, ends in the past or in more than a year, or names an ``act`` that
            its owner's `role` has not.
    """
    if not name.strip():
        raise BadInput({"name": "missing"})
    if not now < ends_at <= now + timedelta(days=LONGEST_DAYS):
        raise BadInput({"days": "not_a_choice"})
    if not all(has(role, act) for act in acts):
        raise BadInput({"act": "not_a_choice"})
    token = _PREFIX + secrets.token_urlsafe(32)
    whose = {"person_id" if actor.kind == "citizen" else "staff_id": actor.id}
    row = ApiToken(
        token_hash=hash_of(token), recorded_at=now, name=name.strip()[:60], acts=" ".join(acts),
        reads_only=reads_only, ends_at=ends_at, **whose,
    )  # fmt: skip
    db.add(row)
    db.flush()
    subject = audit.Subject("person" if actor.kind == "citizen" else "staff", actor.id)
    told: dict[str, audit.Detail] = {"reads_only": reads_only, "days": (ends_at - now).days}
    audit.note(db, actor=actor, act="token_made", subject=subject, details=told, now=now)
    return token


def find(db: Session, *, token: str, now: datetime) -> ApiToken | None:
    """Return a token that holds, or None; of somebody who was erased, none does."""
    query = select(ApiToken).where(ApiToken.token_hash == hash_of(token), ApiToken.ends_at > now)
    living = select(Person.id).where(Person.id == ApiToken.person_id, Person.erased_at.is_(None))
    return db.scalar(query.where(ApiToken.person_id.is_(None) | living.exists()))


def is_due(token: ApiToken, now: datetime) -> bool:
    """Say whether that it was seen should be written once more."""
    return token.seen_at is None or now - token.seen_at >= _SEEN_EVERY


def seen(db: Session, *, token_hash: bytes, now: datetime) -> None:
    """Write down that a token was shown."""
    db.execute(update(ApiToken).where(ApiToken.token_hash == token_hash).values(seen_at=now))


def end(db: Session, *, token_hash: bytes) -> None:
    """Let a token open nothing from now on."""
    db.execute(delete(ApiToken).where(ApiToken.token_hash == token_hash))


def of_staff(db: Session, *, staff_id: UUID, now: datetime) -> Sequence[ApiToken]:
    """Return the tokens of a member of staff that hold, the newest first."""
    theirs = select(ApiToken).where(ApiToken.staff_id == staff_id, ApiToken.ends_at > now)
    return db.scalars(theirs.order_by(ApiToken.recorded_at.desc())).all()


def hash_of(token: str) -> bytes:
    """Return under what a token is stored; it has 256 bits, so a plain hash is not undone."""
    return hashlib.sha256(token.encode()).digest()
