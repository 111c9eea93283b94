"""Find a person on record whose names are sealed, however they are spelt: for staff, with a reason.

The tokens name a bounded number of people; only those are opened, ranked by spelling and birth
date, and only the nearest are shown. Each one shown leaves an access row.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.gateways.vault import Vault
from healthcert.models import Identity, Person, PersonToken, Staff
from healthcert.policy import likeness
from healthcert.services import limits, looks
from healthcert.services.people import IdentityDetails, details_of
from healthcert.services.tidying import tidy_identity, tidy_phone
from healthcert.services.tokens import identity_blinds, name_blinds

MOST_OPENED, MOST_SHOWN = 60, 5
_BORN = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_TOLD_YEAR = 4.0  # how much more a sound counts in the year that was told than in those near it
_NAME_WEIGHT, _LEAST_NAME, _LEAST, _LEAST_BIRTH = 0.7, 0.6, 0.75, 0.8


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be meant."""

    person_id: UUID
    name: str  # given and family name in their own script
    latin_name: str  # the same in Latin letters, or empty
    birth_date: str  # as told, perhaps partial
    likeness: float  # 0 to 1: names and birth date are as they were typed


def find(
    db: Session, *, vault: Vault, staff: Staff, reason: str, now: datetime, text: str = "",
    born: str = "", phone: str = "", identity: IdentityDetails | None = None,
) -> list[Candidate]:  # fmt: skip
    """Return who may be meant, the likeliest first, at most `MOST_SHOWN`.

    Two things have to be known of somebody: a telephone number alone finds nobody. `text` holds
    names in any order, script and spelling; they are not looked for without `born` (``YYYY``,
    ``YYYY-MM`` or ``YYYY-MM-DD``) unless a telephone number or a document stands beside them.
    `reason` is one of `looks.REASONS`.

    Raises:
        BadInput: Less than two things to look for, or no such reason.
        TooMany: This member of staff has searched too often; or see `looks.seen`.
    """
    if reason not in looks.REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    typed = likeness.parts(text)
    if _BORN.fullmatch(born) is None and (born or not (phone or identity)):
        raise BadInput({"born": "not_a_date" if born else "missing"})
    if sum(map(bool, (typed, born, phone, identity))) < 2:  # noqa: PLR2004 - factors
        raise BadInput({"text": "missing"})
    limits.spend(db, name="staff_search", identity=staff.id.hex, about=("staff", staff.id), now=now)
    exact = _exact(db, vault, phone, identity)
    alike = _sounding_alike(db, vault, typed, born) if typed and born else []
    people = db.scalars(select(Person).where(Person.id.in_({*exact, *alike})))
    met = [_met(vault, person, typed, born, exact) for person in people]
    shown = sorted((each for each in met if each), key=lambda one: (-one.likeness, one.person_id))
    for candidate in shown[:MOST_SHOWN]:
        looks.seen(
            db, staff=staff, person_id=candidate.person_id, reason=reason,
            details={"by": "search"}, now=now,
        )  # fmt: skip
    return shown[:MOST_SHOWN]


def _exact(
    db: Session, vault: Vault, phone: str, identity: IdentityDetails | None
) -> Collection[UUID]:
    """Return who has the telephone number, who the document; who has both where both are given."""
    found = []
    if phone:
        blinds = vault.blinds("phone", tidy_phone(phone))
        query = select(PersonToken.person_id).where(PersonToken.kind == "phone")
        found.append(db.scalars(query.where(PersonToken.blind.in_(blinds)).limit(MOST_OPENED)))
    if identity:
        blinds = identity_blinds(vault, tidy_identity(identity))
        found.append(db.scalars(select(Identity.person_id).where(Identity.blind.in_(blinds))))
    return set.intersection(*map(set, found)) if found else ()


def _sounding_alike(db: Session, vault: Vault, typed: list[str], born: str) -> Collection[UUID]:
    """Return the people whose names share most sounds with those typed, near that year.

    A sound counts the more the fewer people have it: a rare family name goes before a given
    name that every twentieth bears. The number of those opened is bounded, whatever the country.
    """
    year = int(born[:4])
    years = {year - 1, year, year + 1, int(f"{born[:2]}{born[3]}{born[2]}")}
    heard = [*typed, *(one + other for one, other in pairwise(typed))]
    blinds, told = name_blinds(vault, heard, years), name_blinds(vault, heard, [year])
    weight = case((PersonToken.blind.in_(told), _TOLD_YEAR), else_=1.0)
    rarity = weight / func.count().over(partition_by=PersonToken.blind)
    met = (
        select(PersonToken.person_id, rarity.label("rarity"))
        .where(PersonToken.kind == "name", PersonToken.blind.in_(blinds))
        .subquery()
    )
    query = select(met.c.person_id).group_by(met.c.person_id)
    best = query.order_by(func.sum(met.c.rarity).desc(), met.c.person_id)
    return db.scalars(best.limit(MOST_OPENED)).all()


def _met(
    vault: Vault, person: Person, typed: list[str], born: str, exact: Collection[UUID]
) -> Candidate | None:
    told = details_of(vault, person)
    names = likeness.parts(told.family, told.given, told.family_latin, told.given_latin)
    name = likeness.likeness(typed, names) if typed else 1.0
    if name < _LEAST_NAME:
        return None
    birth = _birth_likeness(born, told.birth_date) if born else 1.0
    whole = _NAME_WEIGHT * name + (1 - _NAME_WEIGHT) * birth
    least = _LEAST_BIRTH if person.id in exact else 0.0
    if birth < least or (not least and whole < _LEAST):
        return None
    own, latin = f"{told.given} {told.family}", f"{told.given_latin} {told.family_latin}"
    return Candidate(person.id, own.strip(), latin.strip(), told.birth_date, whole)


def _birth_likeness(born: str, told: str) -> float:
    if told.startswith(born) or born.startswith(told):
        return 1.0
    swapped = "-".join([born[:4], *reversed(born.split("-")[1:])])
    return 0.95 if swapped == told else likeness.nearness(born, told[: len(born)])
