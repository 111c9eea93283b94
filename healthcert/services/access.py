"""Let a person in: something they know, and a code sent to where they can be told.

Ten minutes, five tries, one use. The tries are counted by one guarded UPDATE before anything is
compared, so no crowd of requests gets a sixth. Known and unknown are answered alike and cost the
same work: what is written for an unknown one is taken back, and an audit row is written for both.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from healthcert.errors import BadCode
from healthcert.gateways.vault import Vault
from healthcert.models import AccessCode, Appointment, Person, new_id
from healthcert.services import audit, messages
from healthcert.services.booking import read_reference
from healthcert.services.people import details_of

LIFE = timedelta(minutes=10)
COOL_DOWN = timedelta(seconds=60)
MOST_TRIES = 5
MOST_A_DAY = 8  # codes: with five tries each, a guesser has 40 chances in a million a day
_DAY = timedelta(days=1)
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try; ask for `person_id` after the transaction is committed.

    A refusal raised inside it would take the count of tries back.

    Attributes:
        compared: Whether a code was compared at all.
    """

    compared: bool
    _person_id: UUID | None

    @property
    def person_id(self) -> UUID:
        """The person who was let in.

        Raises:
            BadCode: Wrong, used, out of date, out of tries, or nobody of that reference and
                birth date: all of them the same.
        """
        if self._person_id is None:
            raise BadCode
        return self._person_id


def request_code(
    db: Session, *, vault: Vault, pepper: bytes, reference: str, birth_date: str, now: datetime
) -> None:
    """Send a code to the person of an appointment, if the birth date is theirs.

    Says nothing either way. A code asked for again within a minute, or for the ninth time in a
    day, is not sent.

    Raises:
        BadInput: The reference is not one.
    """
    claimed = _claimed(db, vault, read_reference(reference), birth_date)
    send = _may_ask_again(db, claimed.person, now) and claimed.right
    if claimed.person is not None:
        attempt = db.begin_nested()
        _send(db, vault, pepper, claimed.person, now)
        if send:
            attempt.commit()
        else:
            attempt.rollback()
    audit.note(
        db,
        actor=audit.STRANGER,
        act="code_asked_for",
        subject=audit.Subject("person", claimed.person.id if send and claimed.person else None),
        details={},
        now=now,
    )


def redeem(
    db: Session,
    *,
    vault: Vault,
    pepper: bytes,
    reference: str,
    birth_date: str,
    code: str,
    now: datetime,
) -> Answer:
    """Count a try and compare the code; the answer is to be asked after the commit.

        with doors.transaction() as db:
            answer = access.redeem(db, ...)
        person_id = answer.person_id  # raises BadCode

    Raises:
        BadInput: The reference is not one.
    """
    claimed = _claimed(db, vault, read_reference(reference), birth_date)
    newest = _newest(db, claimed.person.id if claimed.person and claimed.right else None)
    counted = _count(db, newest, now)
    digest = counted.digest if counted else bytes(32)
    right = hmac.compare_digest(digest, _digest(pepper, newest or UUID(int=0), code))
    if counted is None or not right or claimed.person is None:
        return Answer(compared=counted is not None, _person_id=None)
    db.execute(update(AccessCode).where(AccessCode.id == counted.id).values(used_at=now))
    audit.note(
        db,
        actor=audit.Actor("citizen", claimed.person.id),
        act="signed_in",
        subject=audit.Subject("person", claimed.person.id),
        details={},
        now=now,
    )
    return Answer(compared=True, _person_id=claimed.person.id)


class _Claimed(NamedTuple):
    """Who someone says to be; for an unknown reference anybody, to do the same work on."""

    person: Person | None
    right: bool


def _claimed(db: Session, vault: Vault, reference: str, birth_date: str) -> _Claimed:
    query = select(Person).join(Appointment, Appointment.person_id == Person.id)
    known = db.scalar(query.where(Appointment.reference == reference))
    anybody = db.scalar(select(Person).order_by(Person.id).limit(1))
    person = known or anybody
    if person is None:
        return _Claimed(None, right=False)
    told = details_of(vault, person).birth_date
    same = hmac.compare_digest(told.encode(), birth_date.strip().encode())
    return _Claimed(person, right=known is not None and same)


def _may_ask_again(db: Session, person: Person | None, now: datetime) -> bool:
    query = select(func.count(), func.max(AccessCode.recorded_at)).where(
        AccessCode.person_id == (person.id if person else None), AccessCode.recorded_at > now - _DAY
    )
    count, last = db.execute(query).one()
    return count < MOST_A_DAY and (last is None or last <= now - COOL_DOWN)


def _send(db: Session, vault: Vault, pepper: bytes, person: Person, now: datetime) -> None:
    code_id, code = new_id(), f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    db.add(
        AccessCode(
            id=code_id,
            recorded_at=now,
            person_id=person.id,
            digest=_digest(pepper, code_id, code),
            expires_at=now + LIFE,
        )
    )
    db.flush()
    messages.queue(
        db,
        vault=vault,
        person=person,
        template="code",
        fields={"code": code},
        time_zone="UTC",
        due_at=now,
        now=now,
    )


def _newest(db: Session, person_id: UUID | None) -> UUID | None:
    query = select(AccessCode.id).where(AccessCode.person_id == person_id)
    return db.scalar(query.order_by(AccessCode.id.desc()).limit(1))


class _Counted(NamedTuple):
    id: UUID
    digest: bytes


def _count(db: Session, code_id: UUID | None, now: datetime) -> _Counted | None:
    """Count one try of a code that may still be tried; None where it may not."""
    codes = AccessCode.__table__.c
    usable = update(AccessCode).where(
        codes.id == code_id,
        codes.tries < MOST_TRIES,
        codes.used_at.is_(None),
        codes.expires_at > now,
    )
    counted = usable.values(tries=codes.tries + 1).returning(codes.id, codes.digest)
    found = db.execute(counted.execution_options(synchronize_session=False)).one_or_none()
    return None if found is None else _Counted(*found)


def _digest(pepper: bytes, code_id: UUID, code: str) -> bytes:
    """Return HMAC-SHA256 of id and code: a plain hash of six digits is undone at once."""
    return hmac.digest(pepper, code_id.bytes + code.strip().encode(), "sha256")
