"""Let a person in: something they know, and a code sent to where they can be told.

Ten minutes, five tries, one use. The tries are counted by one guarded UPDATE before anything is
compared, so no crowd of requests gets a sixth. Known and unknown are answered alike and cost the
same work: what is written for an unknown one is taken back, and an audit row is written for both.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadCode
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Person
from healthcert.services import audit, codes
from healthcert.services.booking import read_reference
from healthcert.services.people import details_of


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
    send = (
        codes.may_ask_again(db, person_id=claimed.person.id if claimed.person else None, now=now)
        and claimed.right
    )
    if claimed.person is not None:
        attempt = db.begin_nested()
        codes.send(db, vault=vault, pepper=pepper, person=claimed.person, now=now)
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
    who = claimed.person.id if claimed.person and claimed.right else None
    newest = codes.newest(db, person_id=who)
    counted = codes.count_try(db, code_id=newest, now=now)
    digest = counted.digest if counted else bytes(32)
    right = hmac.compare_digest(digest, codes.digest(pepper, newest or UUID(int=0), code))
    if counted is None or not right or claimed.person is None:
        return Answer(compared=counted is not None, _person_id=None)
    codes.use(db, code_id=counted.id, now=now)
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
    reachable = select(Person).where(Person.erased_at.is_(None))
    query = reachable.join(Appointment, Appointment.person_id == Person.id)
    known = db.scalar(query.where(Appointment.reference == reference))
    anybody = db.scalar(reachable.order_by(Person.id).limit(1))
    person = known or anybody
    if person is None:
        return _Claimed(None, right=False)
    told = details_of(vault, person).birth_date
    same = hmac.compare_digest(told.encode(), birth_date.strip().encode())
    return _Claimed(person, right=known is not None and same)
