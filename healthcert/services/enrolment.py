"""Know a person again, or write a new one down."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked
from healthcert.gateways.vault import Vault
from healthcert.models import Identity, Person, PersonToken, new_id
from healthcert.models.broken import broken_rule
from healthcert.services.people import (
    UNFINDABLE,
    Details,
    IdentityDetails,
    details_of,
    tidied,
)


def enrol(db: Session, *, vault: Vault, details: Details, now: datetime) -> Person:
    """Return the person these details are of, writing them down if they are new.

    Who is known is found by identity and birth date. What is on record of them is not changed:
    a stranger who knows the number must not redirect messages.

    Raises:
        BadInput: A field cannot be used.
        AlreadyBooked: The identity is on record with another birth date.
    """
    tidy = tidied(details, today=now.date())
    blind = _blind(vault, tidy.identity)
    if person := known(db, vault=vault, details=tidy):
        return person
    try:
        with db.begin_nested():
            return _written(db, vault, tidy, blind, now)
    except IntegrityError as error:
        if broken_rule(error) != "uq_identity_blind":
            raise
    if person := known(db, vault=vault, details=tidy):
        return person  # somebody wrote the same person down at this moment
    raise AlreadyBooked


def known(db: Session, *, vault: Vault, details: Details) -> Person | None:
    """Return the person on record whose identity these details name, None where there is none.

    Raises:
        AlreadyBooked: The identity is on record with another birth date.
    """
    person = _known(db, _blind(vault, details.identity))
    if person is not None and details_of(vault, person).birth_date != details.birth_date:
        raise AlreadyBooked
    return person


def _blind(vault: Vault, identity: IdentityDetails) -> bytes | None:
    if identity.kind in UNFINDABLE:
        return None
    return vault.blind("identity", identity.kind, identity.country, identity.value)


def _known(db: Session, blind: bytes | None) -> Person | None:
    if blind is None:
        return None
    return db.scalar(select(Person).join(Identity).where(Identity.blind == blind))


def _written(
    db: Session, vault: Vault, details: Details, blind: bytes | None, now: datetime
) -> Person:
    person_id, key = new_id(), vault.new_key()
    person = Person(
        id=person_id,
        recorded_at=now,
        wrapped_key=key,
        sealed=vault.seal(key, person_id, asdict(details)),
        birth_year=int(details.birth_date[:4]),
        sex=details.sex,
        language=details.language,
    )
    identity = Identity(
        person_id=person_id,
        recorded_at=now,
        kind=details.identity.kind,
        country=details.identity.country,
        level="low",
        blind=blind,
    )
    contacts = {"phone": details.phone, "mail": details.mail.lower()}
    tokens = [
        PersonToken(person_id=person_id, kind=kind, blind=vault.blind(kind, value))
        for kind, value in contacts.items()
        if value
    ]
    db.add(person)
    db.flush()
    db.add_all([identity, *tokens])
    db.flush()
    return person
