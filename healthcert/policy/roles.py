"""Who may do what, and to which things: one table and one decision; the rest is refused.

A role reaches things of its own scope: a citizen what is their own, a clerk their site, an
administrator their organisation and all below it. What an organisation hands to one below it
widens where those may act who have the act already; it never gives anybody a new act.
`docs/roles.md` says the same in words, and an independent program reads it to judge this one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class Role(StrEnum):
    """What a signed-in person is here."""

    CITIZEN = "citizen"
    CLERK = "clerk"
    NURSE = "nurse"
    LEAD = "lead"  # runs a site
    ADMIN = "admin"  # answers for an organisation's people and places
    KEY_OFFICER = "key_officer"
    INSPECTOR = "inspector"


class Scope(StrEnum):
    """Which things a role's act reaches."""

    OWN = "own"  # one's own record, and those of the people one acts for
    SITE = "site"  # what belongs to one's own site
    ORGANISATION = "organisation"  # what belongs to one's own organisation or one below it
    COUNTRY = "country"  # everything


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: what they are, whose records are theirs, where they work.

    Attributes:
        role: None for a stranger.
        people: A citizen and those they act for.
        site: Whose staff they are, if a site's.
        line: Their organisation and all above it, their own first.
    """

    role: Role | None
    people: Collection[UUID] = ()
    site: UUID | None = None
    line: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked about: whose record, which site's, and the line of its organisations."""

    person: UUID | None = None
    site: UUID | None = None
    line: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class Handed:
    """An act that one organisation lets another do in its place until a moment."""

    act: str
    giver: UUID
    taker: UUID
    ends_at: datetime
    revoked_at: datetime | None = None


_Reach = dict[Role | None, Scope]


def _all(scope: Scope, *roles: Role | None) -> _Reach:
    return dict.fromkeys(roles, scope)


_ANYONE = _all(Scope.COUNTRY, None, *Role)  # None is a stranger
_HOLDER = _all(Scope.OWN, Role.CITIZEN)
_CLINIC = _all(Scope.SITE, Role.CLERK, Role.NURSE, Role.LEAD)
_NURSE = _all(Scope.SITE, Role.NURSE)
_ADMIN = _all(Scope.ORGANISATION, Role.ADMIN)

ACTS: Mapping[str, Mapping[Role | None, Scope]] = MappingProxyType(
    {
        "read_public_page": _ANYONE,
        "verify_certificate": _ANYONE,
        "search_places": _ANYONE,
        "book_appointment": _ANYONE,
        "ask_for_code": _ANYONE,
        "sign_in": _ANYONE,
        "sign_out": _ANYONE,
        "see_own_record": _HOLDER,
        "see_own_certificate": _HOLDER,
        "erase_own_record": _HOLDER,
        "cancel_own_appointment": _HOLDER,
        "move_own_appointment": _HOLDER,
        "see_day_list": _CLINIC,
        "see_patient": _CLINIC,
        "register_arrival": _CLINIC,
        "book_for_someone": _CLINIC,
        "record_dose": _NURSE,
        "record_not_vaccinated": _NURSE,
        "mark_dose_in_error": _all(Scope.SITE, Role.NURSE, Role.LEAD),
        "see_record_elsewhere": {
            Role.LEAD: Scope.ORGANISATION,
            Role.INSPECTOR: Scope.COUNTRY,
        },
        "see_service_state": _all(Scope.COUNTRY, Role.ADMIN, Role.KEY_OFFICER, Role.INSPECTOR),
        "see_organisations": _ADMIN | _all(Scope.COUNTRY, Role.INSPECTOR),
        "delegate": _ADMIN,
        "end_work": _ADMIN,
        "recover_staff": _ADMIN,
        "end_sessions": _ADMIN,
        "revoke_many": _ADMIN | _all(Scope.COUNTRY, Role.KEY_OFFICER),
        "manage_keys": _all(Scope.COUNTRY, Role.KEY_OFFICER),
    }
)
# Grave enough that whoever does them proves again who they are.
FRESH = frozenset(
    {
        "erase_own_record",
        "see_record_elsewhere",
        "delegate",
        "end_work",
        "recover_staff",
        "end_sessions",
        "revoke_many",
        "manage_keys",
    }
)


def has(role: Role | None, act: str) -> bool:
    """Say whether a role, or a stranger (None), has an act at all; an unknown one nobody has."""
    return role in ACTS.get(act, {})


def may(
    asker: Asker, act: str, thing: Thing, *, handed: Collection[Handed] = (), now: datetime
) -> bool:
    """Say whether somebody may do an act to a thing, now.

    Args:
        asker: Who asks.
        act: What they would do; an act that is not in the table nobody may.
        thing: What they would do it to.
        handed: What organisations have handed on; all of it, or what was handed to the asker's.
        now: The moment asked about.
    """
    scope = ACTS.get(act, {}).get(asker.role)
    if scope is Scope.OWN:
        return thing.person is not None and thing.person in asker.people
    if scope is Scope.SITE:
        return thing.site is not None and thing.site == asker.site
    if scope is Scope.ORGANISATION:
        return not reached(asker, act, handed=handed, now=now).isdisjoint(thing.line)
    return scope is Scope.COUNTRY


def reached(
    asker: Asker, act: str, *, handed: Collection[Handed] = (), now: datetime
) -> frozenset[UUID]:
    """Return the organisations within which, and below which, somebody may do an act.

    Their own, and each above it that has handed the act to their own and not yet taken it
    back; none for a role that does not have the act by organisation.
    """
    if ACTS.get(act, {}).get(asker.role) is not Scope.ORGANISATION or not asker.line:
        return frozenset()
    own, *above = asker.line
    return frozenset({own}) | {
        given.giver
        for given in handed
        if given.act == act and given.taker == own and given.giver in above
        if now < given.ends_at and (given.revoked_at is None or now < given.revoked_at)
    }


def delegable(role: Role) -> list[str]:
    """Return the acts a role may hand to an organisation below: its own, but for handing on."""
    return [
        act
        for act, reach in ACTS.items()
        if reach.get(role) is Scope.ORGANISATION and act != "delegate"
    ]
