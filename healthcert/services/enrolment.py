"""Know a person again, or write a new one down."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    Base,
    Dose,
    Identity,
    Person,
    PersonToken,
    Recovery,
    TestResult,
    WaitEntry,
    as_read,
    new_id,
    plain,
)
from healthcert.models.straight import Straight
from healthcert.services import messages
from healthcert.services.people import Details, IdentityDetails, details_of, key_of, locked
from healthcert.services.tidying import tidied
from healthcert.services.tokens import identity_blinds, indexed_by, tokens

_HOUR = timedelta(hours=1)
_PERSON, _IDENTITY, _TOKEN = (
    Base.metadata.tables[name] for name in ("person", "identity", "person_token")
)
_NEW = (
    "id", "recorded_at", "wrapped_key", "wrapped_by", "sealed", "indexed_by", "birth_year", "sex",
    "nationality_group", "language",
)  # fmt: skip


def _writing() -> Straight:
    """Return the statement that writes somebody down whose identity is on nobody's record.

    One statement, so the identity may be first, and who comes second waits for it and gives no row.
    """
    named = (
        insert(_IDENTITY)
        .values({each.name: bindparam(each.name) for each in _IDENTITY.c})
        .on_conflict_do_nothing(index_elements=["blind"])
        .returning(_IDENTITY.c.person_id)
        .cte("named")
    )
    values = (bindparam(f"person_{name}", type_=_PERSON.c[name].type) for name in _NEW)
    person = insert(_PERSON).from_select(_NEW, select(*values).select_from(named))
    found = (("kinds", _TOKEN.c.kind), ("blinds", _TOKEN.c.blind))
    each = (func.unnest(bindparam(name, type_=ARRAY(column.type))) for name, column in found)
    told = insert(_TOKEN).from_select(_TOKEN.c.keys(), select(named.c.person_id, *each))
    return Straight(select(named.c.person_id).add_cte(person.cte("wrote"), told.cte("told")))


_WRITING = _writing()  # on PostgreSQL


def enrol(
    db: Session, *, vault: Vault, details: Details, now: datetime, person_id: UUID | None = None,
    only_new: bool = False,
) -> Person:  # fmt: skip
    """Return the person these details are of, writing them down if they are new.

    `person_id` is by what somebody new is called who was on record elsewhere.

    Who is known is found by identity and birth date. What is on record of them is not changed:
    a stranger who knows the number must not redirect messages.

    Raises:
        BadInput: A field cannot be used.
        AlreadyBooked: The identity is on record with another birth date, or at all where
            `only_new` people are wanted.
    """
    tidy = tidied(details, today=now.date())
    _alone(db, identity_blinds(vault, tidy.identity))
    person = known(db, vault=vault, details=tidy)
    if person is None:
        made = _written(db, vault, tidy, now, person_id or new_id())
        if made is not None:
            return made
        person = known(db, vault=vault, details=tidy)  # somebody wrote them down at this moment
    if only_new or person is None:
        raise AlreadyBooked
    return person


def amend(
    db: Session, *, vault: Vault, person_id: UUID, party_id: UUID, details: Details, now: datetime
) -> Person:
    """Return somebody whom the caller's party wrote down within the hour, with what is told now.

    Who turns out to be somebody else, or has anything on record beside the party, is enrolled
    instead: nothing of theirs is changed.

    Raises:
        BadInput, AlreadyBooked: As `enrol`.
    """
    person, tidy = locked(db, person_id), tidied(details, today=now.date())
    named = on_record(db, vault=vault, identities=[tidy.identity]).get(tidy.identity, person)
    other = Appointment.party_id.is_distinct_from(party_id)
    facts = [select(each.id) for each in (Dose, TestResult, Recovery, WaitEntry)]
    known_by = [select(Appointment.id).where(other), *facts]
    is_new = person.recorded_at > now - _HOUR and named is person
    if not is_new or any(db.scalar(each.filter_by(person_id=person_id)) for each in known_by):
        return enrol(db, vault=vault, details=details, now=now)
    for table in (Identity, PersonToken):
        db.execute(delete(table).filter_by(person_id=person_id))
    for name, value in _told(vault, key_of(person), person_id, tidy).items():
        setattr(person, name, value)
    db.add_all([
        identified(vault, person, tidy.identity, level="low", now=now),
        *_tokens(vault, person_id, tidy),
    ])  # fmt: skip
    db.flush()
    return person


def known(db: Session, *, vault: Vault, details: Details) -> Person | None:
    """Return the person on record whose identity these details name, None where there is none.

    Raises:
        AlreadyBooked: The identity is on record with another birth date.
    """
    person = holder(db, identity_blinds(vault, details.identity))
    if person is not None and details_of(vault, person).birth_date != details.birth_date:
        raise AlreadyBooked
    return person


def fits(vault: Vault, person: Person, identity: IdentityDetails, birth_date: str) -> bool:
    """Return whether a person is on record with this identity and birth date."""
    told = details_of(vault, person) if person.erased_at is None else None
    return told is not None and (told.identity, told.birth_date) == (identity, birth_date)


def on_record(
    db: Session, *, vault: Vault, identities: Iterable[IdentityDetails]
) -> dict[IdentityDetails, Person]:
    """Return who bears which of some identities."""
    named = {blind: each for each in identities for blind in identity_blinds(vault, each)}
    query = select(Identity.blind, Person).join(Person, Person.id == Identity.person_id)
    found = db.execute(query.where(Identity.blind.in_(named))) if named else ()
    return {named[blind]: person for blind, person in found if blind}


def index(db: Session, *, vault: Vault, people: Sequence[Person]) -> None:
    """Write anew what people are found by, under the newest index key.

    To be called whenever a name, a contact point or an identity of theirs has changed.
    """
    told = {person.id: details_of(vault, person) for person in people}
    db.execute(delete(PersonToken).where(PersonToken.person_id.in_(told)))
    keys = {person.id: key_of(person) for person in people}
    for identity in db.scalars(select(Identity).where(Identity.person_id.in_(told))):
        own = said(vault, keys[identity.person_id], identity) or told[identity.person_id].identity
        if (identity.kind, identity.country) == (own.kind, own.country):
            identity.blind = next(iter(identity_blinds(vault, own)), None)
    for person in people:
        person.indexed_by = indexed_by(vault)
    for person_id, details in told.items():
        db.add_all(_tokens(vault, person_id, details))
    db.flush()


def _alone(db: Session, blinds: list[bytes]) -> None:
    """Wait for whoever enrols the same identity now, while index keys change.

    The unique index sees two that write the same blind. While a key is renewed one may write the
    old and another the new; both know both, so each takes a lock on all, in one order.
    """
    if len(blinds) > 1 and db.get_bind().dialect.name == "postgresql":  # SQLite has one writer
        for blind in sorted(blinds):
            key = int.from_bytes(blind[:8], signed=True)
            db.execute(select(func.pg_advisory_xact_lock(key)))


def holder(db: Session, blinds: list[bytes]) -> Person | None:
    """Return the person with an identity that lies under one of these blinds, None for nobody."""
    named = {f"blind_{number}": each for number, each in enumerate(blinds)}
    found = _bearing(len(named)).rows(db, **named) if named else ()
    return db.get_one(Person, found[0][0]) if found else None


@cache
def _bearing(number: int) -> Straight:
    names = (f"blind_{each}" for each in range(number))
    blinds = [bindparam(name, type_=_IDENTITY.c.blind.type) for name in names]
    return Straight(select(_IDENTITY.c.person_id).where(_IDENTITY.c.blind.in_(blinds)))


def _written(
    db: Session, vault: Vault, details: Details, now: datetime, person_id: UUID
) -> Person | None:
    """Return somebody new, written down; None where another has written their identity down."""
    key = vault.new_key()
    row = {
        "id": person_id, "recorded_at": now, "wrapped_key": key, "wrapped_by": vault.master_name,
        "nationality_group": "unknown", **_told(vault, key, person_id, details),
    }  # fmt: skip
    person = plain(Person, row)
    identity = _identity(vault, person, details.identity, level="low", now=now)
    found = sorted(tokens(vault, details))
    if db.get_bind().dialect.name == "postgresql":
        kinds, blinds = [kind for kind, _ in found], [blind for _, blind in found]
        told = {f"person_{name}": value for name, value in row.items()}
        if not _WRITING.rows(db, **told | identity, kinds=kinds, blinds=blinds):
            return None
    else:  # one writes at a time: nobody has come between
        messages.write(db, person=[row], identity=[identity], person_token=[
            {"person_id": person_id, "kind": kind, "blind": blind} for kind, blind in found
        ])  # fmt: skip
    return as_read(db, Person, dict.fromkeys(_PERSON.c.keys()) | row)


def _told(vault: Vault, key: bytes, person_id: UUID, details: Details) -> dict[str, Any]:
    """Return what the row of a person says of what they told."""
    return {
        "sealed": vault.seal(key, person_id, asdict(details)), "indexed_by": indexed_by(vault),
        "birth_year": int(details.birth_date[:4]), "sex": details.sex,
        "language": details.language,
    }  # fmt: skip


def identified(
    vault: Vault, person: Person, told: IdentityDetails, *, level: str, now: datetime
) -> Identity:
    """Return the row of something that says who a person is, to be added; `told` is tidy."""
    return Identity(**_identity(vault, person, told, level=level, now=now))


def said(vault: Vault, key: bytes, identity: Identity) -> IdentityDetails | None:
    """Return what the row of an identity says, opened; None of one that lies in the details alone.

    `key` is its person's, wrapped.
    """
    if not identity.sealed:
        return None
    return IdentityDetails(**vault.open(key, identity.id, identity.sealed, purpose="identity"))


def _identity(
    vault: Vault, person: Person, told: IdentityDetails, *, level: str, now: datetime
) -> dict[str, Any]:
    row_id = new_id()
    return {
        "id": row_id, "person_id": person.id, "recorded_at": now, "kind": told.kind,
        "country": told.country, "level": level,
        "blind": next(iter(identity_blinds(vault, told)), None),
        "sealed": vault.seal(key_of(person), row_id, asdict(told), purpose="identity"),
    }  # fmt: skip


def _tokens(vault: Vault, person_id: UUID, details: Details) -> list[PersonToken]:
    return [
        PersonToken(person_id=person_id, kind=kind, blind=blind)
        for kind, blind in tokens(vault, details)
    ]
