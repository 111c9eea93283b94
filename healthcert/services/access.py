"""Let a person in: something they know, and a code sent to where they can be told.

What they know is a reference (of an appointment, or on their card) or the number of a document,
with the birth date. Ten minutes, five tries, one use. The tries are counted by one guarded UPDATE
before anything is compared, so no crowd of requests gets a sixth. Known and unknown are answered
alike and cost the same work: what is written for an unknown one, on a decoy, is taken back, and
an audit row is written for both. Who has no contact point is an unknown one here: a clinic helps.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadCode, BadInput
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Identity, Person, PersonToken
from healthcert.models.person import IDENTITY_KINDS
from healthcert.policy.reference import read
from healthcert.services import audit, codes
from healthcert.services.people import UNFINDABLE, IdentityDetails, details_of
from healthcert.services.tidying import tidy_identity
from healthcert.services.tokens import identity_blinds

DOCUMENTS = tuple(kind for kind in IDENTITY_KINDS if kind not in UNFINDABLE)


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says to know: a reference, or the number of one of `DOCUMENTS`."""

    reference: str  # the reference or the number, as typed
    birth_date: str  # as it was told when the person was written down
    kind: str = "reference"
    country: str = "XX"  # of the document


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try; ask for `person_id` after the transaction is committed.

    A refusal raised inside it would take the count of tries back.
    """

    compared: bool  # whether a code was compared at all
    _person_id: UUID | None
    lets: str = ""  # of a code that was right: what for, see `AccessCode.lets`

    @property
    def person_id(self) -> UUID:
        """The person whose code it was.

        Raises:
            BadCode: Wrong, used, out of date, out of tries, or nobody of whom that is known:
                all of them the same.
        """
        if self._person_id is None:
            raise BadCode
        return self._person_id


def request_code(db: Session, *, vault: Vault, pepper: bytes, claim: Claim, now: datetime) -> None:
    """Send a code to the person of whom something is known, if the birth date is theirs.

    Says nothing either way. A code asked for again within a minute, or for the ninth time in a
    day, is not sent.

    Raises:
        BadInput: The reference is not one, or the number is missing.
    """
    person, right = _claimed(db, vault, claim)
    known = person.id if person else None
    send = codes.may_ask_again(db, person_id=known, now=now) and right
    if person is not None:
        attempt = db.begin_nested()
        codes.send(db, vault=vault, pepper=pepper, person=person, now=now)
        if send:
            attempt.commit()
        else:
            attempt.rollback()
    audit.of_person(db, audit.STRANGER, "code_asked_for", known if send else None, now)


def redeem(
    db: Session, *, vault: Vault, pepper: bytes, claim: Claim, code: str, now: datetime,
    carer: UUID | None = None,
) -> Answer:  # fmt: skip
    """Count a try and compare the code; the answer is to be asked after the commit.

    With a `carer`, the code is not one to sign in with but one that lets them act for the person.

    Raises:
        BadInput: The reference is not one, or the number is missing.
    """
    person, theirs = _claimed(db, vault, claim)
    who = person.id if person and theirs else None
    newest = codes.newest(db, person_id=who, for_carer=carer is not None)
    counted = codes.count_try(db, code_id=newest, now=now)
    digest = counted.digest if counted else bytes(32)
    right = hmac.compare_digest(digest, codes.digest(pepper, newest or UUID(int=0), code))
    if counted is None or not right or person is None:
        # Written for all: a commit that changes nothing would be told by its time.
        audit.of_person(db, audit.STRANGER, "code_refused", None, now)
        return Answer(compared=counted is not None, _person_id=None)
    codes.use(db, code_id=counted.id, now=now)
    actor = audit.Actor("citizen", carer or person.id)
    act = "invitation_taken" if carer else "signed_in"
    audit.of_person(db, actor, act, person.id, now)
    return Answer(compared=True, _person_id=person.id, lets=counted.lets)


def _claimed(db: Session, vault: Vault, claim: Claim) -> tuple[Person | None, bool]:
    """Return who someone says to be, and whether rightly; else anybody, to do the same work on."""
    number, kind = claim.reference.strip(), claim.kind
    if kind == "reference":
        number, kind = read(number), "card"
    elif kind not in DOCUMENTS or not number:
        raise BadInput({"reference": "missing"} if kind in DOCUMENTS else {"kind": "not_a_choice"})
    blinds = identity_blinds(vault, tidy_identity(IdentityDetails(kind, claim.country, number)))
    booked = select(Appointment.person_id).where(Appointment.reference == number)
    papers = select(Identity.person_id).where(Identity.blind.in_(blinds))
    reachable = select(Person).where(Person.erased_at.is_(None))
    found = db.scalars(reachable.where(Person.id.in_(papers.union(booked)))).all()
    told = PersonToken.kind.in_(("phone", "mail"))
    decoy = db.scalar(reachable.join(PersonToken).where(told).limit(1))
    for person in found or ([decoy] if decoy else []):
        details = details_of(vault, person)
        same = hmac.compare_digest(details.birth_date.encode(), claim.birth_date.strip().encode())
        if same and person in found and details.is_reached:
            return person, True
    return decoy, False
