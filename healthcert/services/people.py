"""What people tell of themselves: its shape, and how it opens again."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound
from healthcert.gateways.vault import Vault
from healthcert.hcert.names import Holder
from healthcert.models import Base, Person, narrow
from healthcert.models.straight import Straight

UNFINDABLE = ("vouched", "none")  # identities without a number
_PERSON = Base.metadata.tables["person"]
_READ = narrow("id wrapped_key sealed language region erased_at")


@dataclass(frozen=True, slots=True)
class IdentityDetails:
    """What says who someone is: one of `IDENTITY_KINDS`, its country, and its number.

    Of `vouched` the value is the name of who vouches; of `none` it is empty.
    """

    kind: str
    country: str = "XX"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """What a person tells of themselves."""

    family: str  # in its own script; of someone with one name, that name
    given: str  # in their own script, or empty
    birth_date: str  # ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``
    language: str  # ISO 639-1, to be spoken to in
    identity: IdentityDetails  # what says who it is
    family_latin: str = ""  # as the travel document or ID spells it in Latin letters, or empty
    given_latin: str = ""  # the same for the given names
    sex: str = "unknown"  # one of ``male``, ``female``, ``other``, ``unknown``
    phone: str = ""  # international, ``+`` and digits, or empty
    mail: str = ""  # address, or empty

    @property
    def is_reached(self) -> bool:
        """Whether there is a way to tell them something."""
        return bool(self.phone or self.mail)


def key_of(person: Person) -> bytes:
    """Return a person's wrapped key; `NotFound` if they were erased and what law kept is gone."""
    if person.wrapped_key is None:
        raise NotFound
    return person.wrapped_key


def details_of(vault: Vault, person: Person) -> Details:
    """Return what a person told of themselves, opened; `NotFound` as `key_of`."""
    opened = vault.open(key_of(person), person.id, person.sealed or b"")
    return Details(**opened | {"identity": IdentityDetails(**opened["identity"])})


def holder_of(details: Details) -> Holder:
    """Return whom a certificate of theirs speaks of."""
    return Holder(
        family=details.family,
        given=details.given,
        birth_date=details.birth_date,
        family_latin=details.family_latin,
        given_latin=details.given_latin,
        language=details.language,
    )


def locked(db: Session, person_id: UUID) -> Person:
    """Return a person whose rows nobody else changes until this transaction ends.

    Every deed locks the person first and slots after, so that two of them never wait crosswise.

    Raises:
        NotFound: No such person.
    """
    return all_locked(db, [person_id])[person_id]


def all_locked(db: Session, person_ids: Collection[UUID]) -> dict[UUID, Person]:
    """Return people by their ids, locked in the order of these as `locked` does it with one.

    Raises:
        NotFound: One of them is not there.
    """
    found = {each.id: each for each in db.scalars(locking(set(person_ids), Person))}
    return _all_of(found, person_ids)


def all_read(db: Session, person_ids: Collection[UUID]) -> dict[UUID, Person]:
    """Return people as `all_locked` does, but to be read alone: no session knows these rows."""
    ids = {f"id_{number}": each for number, each in enumerate(set(person_ids))}
    return _all_of(read(db, _locked(len(ids)), **ids), person_ids)


def _all_of(found: dict[UUID, Person], person_ids: Collection[UUID]) -> dict[UUID, Person]:
    if not found.keys() >= set(person_ids):
        raise NotFound
    return found


def locking(ids: Any, *what: Any) -> Select[Any]:  # noqa: ANN401 - as SQL takes it
    """Return the query that locks people, for `read` where nothing is said of what to read."""
    query = select(*(what or (_PERSON.c[name] for name in _READ._fields)))
    query = query.where(_PERSON.c.id.in_(ids)).order_by(_PERSON.c.id)
    return query.with_for_update(key_share=True)


def read(db: Session, query: Straight, **values: object) -> dict[UUID, Person]:
    """Return the people that a query of `locking` finds, to be read alone."""
    found = map(_READ._make, query.rows(db, **values))
    return {person.id: person for person in found}


@cache
def _locked(number: int) -> Straight:
    names = (f"id_{each}" for each in range(number))
    return Straight(locking([bindparam(name, type_=_PERSON.c.id.type) for name in names]))
