"""One-time codes: six digits, ten minutes, five tries, one use, a few a day."""

import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from healthcert.gateways.vault import Vault
from healthcert.models import AccessCode, Base, Person, new_id
from healthcert.models.person import SIGN_IN
from healthcert.services import messages

LIFE = timedelta(minutes=10)
COOL_DOWN = timedelta(seconds=60)
MOST_TRIES = 5
MOST_A_DAY = 8  # codes: with five tries each, a guesser has 40 chances in a million a day
_DAY = timedelta(days=1)
_DIGITS = 6
_CODE = Base.metadata.tables["access_code"]


def send(
    db: Session, *, vault: Vault, pepper: bytes, person: Person, now: datetime, lets: str = SIGN_IN
) -> None:
    """Make a code and queue the message that tells it; only its digest is kept.

    It `lets` the person in, or somebody else act for them in scopes of theirs, a blank apart.
    """
    code_id, code = new_id(), f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    db.add(
        AccessCode(
            id=code_id, recorded_at=now, person_id=person.id, digest=digest(pepper, code_id, code),
            expires_at=now + LIFE, lets=lets,
        )
    )  # fmt: skip
    db.flush()
    messages.queue(
        db, vault=vault, person=person, template="code" if lets == SIGN_IN else "carer_code",
        fields={"code": code}, time_zone="UTC", due_at=now, now=now,
    )  # fmt: skip


def may_ask_again(db: Session, *, person_id: UUID | None, now: datetime) -> bool:
    """Say whether another code may leave now."""
    query = select(func.count(), func.max(AccessCode.recorded_at)).where(
        AccessCode.person_id == person_id, AccessCode.recorded_at > now - _DAY
    )
    count, last = db.execute(query).one()
    return count < MOST_A_DAY and (last is None or last <= now - COOL_DOWN)


def newest(db: Session, *, person_id: UUID | None, for_carer: bool = False) -> UUID | None:
    """Return the code of its kind that a person was sent last; those before no longer hold."""
    query = select(AccessCode.id).where(
        AccessCode.person_id == person_id, (AccessCode.lets != SIGN_IN) == for_carer
    )
    return db.scalar(query.order_by(AccessCode.id.desc()).limit(1))


def count_try(db: Session, *, code_id: UUID | None, now: datetime) -> Row[UUID, bytes, str] | None:
    """Count one try of a code, by a single statement; None where no try is left to count."""
    usable = update(_CODE).where(
        _CODE.c.id == code_id, _CODE.c.tries < MOST_TRIES, _CODE.c.used_at.is_(None),
        _CODE.c.expires_at > now,
    )  # fmt: skip
    counted = usable.values(tries=_CODE.c.tries + 1).returning(
        _CODE.c.id, _CODE.c.digest, _CODE.c.lets
    )
    return db.execute(counted).one_or_none()


def use(db: Session, *, code_id: UUID, now: datetime) -> None:
    """Use a code up."""
    db.execute(update(_CODE).where(_CODE.c.id == code_id).values(used_at=now))


def digest(pepper: bytes, code_id: UUID, code: str) -> bytes:
    """Return HMAC-SHA256 of id and code: a plain hash of six digits is undone at once."""
    return hmac.digest(pepper, code_id.bytes + code.strip().encode(), "sha256")
