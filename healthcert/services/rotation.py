"""Renew the keys of the vault: wrap and index every person anew, a batch at a time.

Each batch is one transaction and finds its own work, so it may be killed at any point and begun
again. Rows under old keys stay usable throughout: a vault opens, and looks up, with all it has.
"""

from typing import Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from healthcert.errors import WrongKeys
from healthcert.gateways.vault import Vault
from healthcert.models import Person
from healthcert.services import enrolment
from healthcert.services.people import key_of
from healthcert.services.tokens import indexed_by

Work = Literal["wrapped", "indexed"]
WORKS: tuple[Work, ...] = ("wrapped", "indexed")


def in_use(db: Session, work: Work) -> list[str]:
    """Return the names of the keys that rows lie under; an empty one where nobody knows."""
    column, found = _column(work), list[str]()
    held = select(func.min(column)).where(_there(work))
    name = db.scalar(held)
    while name is not None:  # each step is one look into the index, whatever the country's size
        found.append(name)
        name = db.scalar(held.where(column > name))
    return found


def refuse_wrong_keys(db: Session, vault: Vault) -> None:
    """Refuse to start on a vault that cannot open, or cannot look up, what is there.

    Raises:
        WrongKeys: Rows lie under a master or an index key that is not here.
        NotReady: A key that should open a row does not.
    """
    for name in in_use(db, "wrapped"):
        if name and name not in vault.masters:
            raise WrongKeys(f"people are wrapped under the vault key {name}, which is not here")
        row = select(Person).where(Person.wrapped_by == name, Person.wrapped_key.is_not(None))
        for person in db.scalars(row.limit(1)):
            vault.rewrapped(key_of(person))
    for name in in_use(db, "indexed"):
        if name and name[:-2] not in vault.indexes:
            raise WrongKeys(f"people are indexed under the key {name}, which is not here")


def waiting(db: Session, vault: Vault, work: Work) -> int:
    """Count the people who lie under another key than the newest."""
    query = select(func.count()).where(_column(work).in_(_old(db, vault, work)))
    return db.scalar(query.where(_there(work))) or 0


def renew(db: Session, *, vault: Vault, work: Work, limit: int) -> int:
    """Bring a batch of people under the newest key; return how many, none when all is done.

    The transaction is to hold nothing else. ``wrapped`` is about their keys; ``indexed`` about all
    they are found by, and also writes name tokens for those who have none yet.

    Raises:
        WrongKeys: Somebody lies under a master key that is not here.
    """
    old = _old(db, vault, work)
    query = (  # one key at a time: its rows lie in the index in the order they are locked in
        select(Person)
        .where(_column(work).in_(old[:1]), _there(work))
        .order_by(Person.id)
        .limit(limit)
        .with_for_update(key_share=True)
    )
    people = db.scalars(query).all()
    if work == "indexed":
        enrolment.index(db, vault=vault, people=people)
        return len(people)
    for person in people:
        person.wrapped_key = vault.rewrapped(key_of(person))
        person.wrapped_by = vault.master_name
    db.flush()
    return len(people)


def _column(work: Work) -> InstrumentedAttribute[str]:
    return Person.wrapped_by if work == "wrapped" else Person.indexed_by


def _there(work: Work) -> ColumnElement[bool]:
    """Whom the work is about: who was erased has no finders, and in the end no key either."""
    return Person.wrapped_key.is_not(None) if work == "wrapped" else Person.erased_at.is_(None)


def _old(db: Session, vault: Vault, work: Work) -> list[str]:
    newest = vault.master_name if work == "wrapped" else indexed_by(vault)
    return [name for name in in_use(db, work) if name != newest]
