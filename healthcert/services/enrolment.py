"""Know a person again, or write a new one down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked
from healthcert.gateways.vault import Vault
from healthcert.models import Identity, Person, PersonToken, new_id
from healthcert.models.broken import broken_rule
from healthcert.services.people import Details, IdentityDetails, details_of, key_of, tidied
from healthcert.services.tokens import identity_blinds, indexed_by, tokens


def enrol(
    db: Session, *, vault: Vault, details: Details, now: datetime, only_new: bool = False
) -> Person:
    """Return the person these details are of, writing them down if they are new.

    Who is known is found by identity and birth date. What is on record of them is not changed:
    a stranger who knows the number must not redirect messages.

    Raises:
        BadInput: A field cannot be used.
        AlreadyBooked: The identity is on record with another birth date, or at all where
            `only_new` people are wanted.
    """
    tidy = tidied(details, today=now.date())
    if not only_new and (person := known(db, vault=vault, details=tidy)):
        return person
    try:
        with db.begin_nested():
            return _written(db, vault, tidy, now)
    except IntegrityError as error:
        if broken_rule(error) != "uq_identity_blind":
            raise
    if not only_new and (person := known(db, vault=vault, details=tidy)):
        return person  # somebody wrote the same person down at this moment
    raise AlreadyBooked


def known(db: Session, *, vault: Vault, details: Details) -> Person | None:
    """Return the person on record whose identity these details name, None where there is none.

    Raises:
        AlreadyBooked: The identity is on record with another birth date.
    """
    person = holder(db, identity_blinds(vault, details.identity))
    if person is not None and details_of(vault, person).birth_date != details.birth_date:
        raise AlreadyBooked
    return person


def index(db: Session, *, vault: Vault, people: Sequence[Person]) -> None:
    """Write anew what people are found by, under the newest index key.

    To be called whenever a name, a contact point or an identity of theirs has changed.
    """
    told = {person.id: details_of(vault, person) for person in people}
    db.execute(delete(PersonToken).where(PersonToken.person_id.in_(told)))
    keys = {person.id: key_of(person) for person in people}
    for identity in db.scalars(select(Identity).where(Identity.person_id.in_(told))):
        own = told[identity.person_id].identity
        if identity.sealed:
            opened = vault.open(
                keys[identity.person_id], identity.id, identity.sealed, purpose="identity"
            )
            own = IdentityDetails(**opened)
        if (identity.kind, identity.country) == (own.kind, own.country):
            identity.blind = next(iter(identity_blinds(vault, own)), None)
    for person in people:
        person.indexed_by = indexed_by(vault)
    for person_id, details in told.items():
        db.add_all(_tokens(vault, person_id, details))
    db.flush()


def holder(db: Session, blinds: list[bytes]) -> Person | None:
    """Return the person with an identity that lies under one of these blinds, None for nobody."""
    if not blinds:
        return None
    return db.scalar(select(Person).join(Identity).where(Identity.blind.in_(blinds)))


def _written(db: Session, vault: Vault, details: Details, now: datetime) -> Person:
    person_id, key = new_id(), vault.new_key()
    person = Person(
        id=person_id,
        recorded_at=now,
        wrapped_key=key,
        wrapped_by=vault.master_name,
        sealed=vault.seal(key, person_id, asdict(details)),
        indexed_by=indexed_by(vault),
        birth_year=int(details.birth_date[:4]),
        sex=details.sex,
        language=details.language,
    )
    db.add(person)
    db.flush()
    identity = identified(vault, person, details.identity, level="low", now=now)
    db.add_all([identity, *_tokens(vault, person_id, details)])
    db.flush()
    return person


def identified(
    vault: Vault, person: Person, told: IdentityDetails, *, level: str, now: datetime
) -> Identity:
    """Return the row of something that says who a person is, to be added; `told` is tidy."""
    row_id = new_id()
    return Identity(
        id=row_id,
        person_id=person.id,
        recorded_at=now,
        kind=told.kind,
        country=told.country,
        level=level,
        blind=next(iter(identity_blinds(vault, told)), None),
        sealed=vault.seal(key_of(person), row_id, asdict(told), purpose="identity"),
    )


def _tokens(vault: Vault, person_id: UUID, details: Details) -> list[PersonToken]:
    return [
        PersonToken(person_id=person_id, kind=kind, blind=blind)
        for kind, blind in tokens(vault, details)
    ]
