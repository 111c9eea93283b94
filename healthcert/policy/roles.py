"""Who may do what, and to which things: one table and one decision; the rest is refused.

`docs/roles.md` says it in words, and an independent program reads that to judge this one. What
an organisation hands on widens where those may act who have the act already, and no more.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple
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
    """Who asks: what they are, whose records are theirs, where they work."""

    role: Role | None  # None is a stranger
    people: Collection[UUID] = ()  # a citizen and those they act for
    site: UUID | None = None
    line: tuple[UUID, ...] = ()  # their organisation and all above it, their own first


class Handed(NamedTuple):
    """An act that one organisation lets another do in its place until a moment."""

    act: str
    giver: UUID
    taker: UUID
    ends_at: datetime
    revoked_at: datetime | None = None


_Reach = Mapping[Role | None, Scope]
_ADMIN: _Reach = {Role.ADMIN: Scope.ORGANISATION}
_STAFF = frozenset(Role) - {Role.CITIZEN}
_BY_WHOM: Mapping[str, _Reach] = {
    # The page of figures looks itself who asks: this machine, or who has the token.
    "read_public_page read_metrics verify_certificate search_places book_appointment "
    "ask_for_code sign_in sign_out": dict.fromkeys(
        (None, *Role), Scope.COUNTRY
    ),  # None is a stranger
    "see_own_record see_own_certificate erase_own_record keep_family keep_waiting "
    "cancel_own_appointment move_own_appointment": {Role.CITIZEN: Scope.OWN},
    "see_day_list see_patient register_arrival book_for_someone help_in_person record_consent "
    "screen_patient keep_stock": dict.fromkeys((Role.CLERK, Role.NURSE, Role.LEAD), Scope.SITE),
    "make_calls": {**dict.fromkeys((Role.CLERK, Role.NURSE, Role.LEAD), Scope.SITE), **_ADMIN},
    "record_dose record_not_vaccinated triage_patient": {Role.NURSE: Scope.SITE},
    "offer_standby settle_stock": {Role.LEAD: Scope.SITE},
    "plan_sessions close_site": {Role.LEAD: Scope.SITE, **_ADMIN},
    "see_lots": dict.fromkeys((Role.ADMIN, Role.INSPECTOR), Scope.COUNTRY),
    "order_lots hold_draw keep_opening": {Role.ADMIN: Scope.COUNTRY},
    "mark_dose_in_error mark_finding_in_error report_adverse_event record_finding count_stock "
    "close_session": dict.fromkeys((Role.NURSE, Role.LEAD), Scope.SITE),
    # A site reports its cases; who gave the dose does not judge what came of it.
    "see_adverse_events mark_reaction_in_error": {
        Role.NURSE: Scope.SITE,
        Role.LEAD: Scope.SITE,
        Role.INSPECTOR: Scope.COUNTRY,
    },
    "assess_adverse_event": {Role.INSPECTOR: Scope.COUNTRY},
    "see_service_state": dict.fromkeys(
        (Role.ADMIN, Role.KEY_OFFICER, Role.INSPECTOR), Scope.COUNTRY
    ),
    "see_organisations": {**_ADMIN, Role.INSPECTOR: Scope.COUNTRY},
    "settle_alarm": {Role.ADMIN: Scope.COUNTRY},
    # By where a request was written down; whose step is next, its country's workflow says.
    "see_requests": {**_ADMIN, Role.CLERK: Scope.ORGANISATION, Role.INSPECTOR: Scope.COUNTRY},
    "decide_requests": {**_ADMIN, Role.CLERK: Scope.ORGANISATION},
    "delegate end_work invite_staff recover_staff end_sessions release_certificates "
    "keep_sites declare_holiday": _ADMIN,
    "manage_own_account": dict.fromkeys(_STAFF, Scope.COUNTRY),
    "prove_again": dict.fromkeys(Role, Scope.COUNTRY),
}
ACTS: Mapping[str, _Reach] = MappingProxyType(
    {act: reach for acts, reach in _BY_WHOM.items() for act in acts.split()}
)
# Grave enough that whoever does them proves again who they are.
FRESH_FOR = timedelta(minutes=5)
FRESH = frozenset({
    "erase_own_record", "delegate", "end_work", "invite_staff", "recover_staff", "end_sessions",
    "release_certificates", "close_site", "declare_holiday", "order_lots", "hold_draw",
    "keep_opening", "decide_requests",
})  # fmt: skip


def has(role: Role | None, act: str) -> bool:
    """Say whether a role, or a stranger (None), has an act at all; an unknown one nobody has."""
    return role in ACTS.get(act, {})


def may(
    asker: Asker, act: str, *, person: UUID | None = None, site: UUID | None = None,
    line: Collection[UUID] = (), handed: Collection[Handed] = (), now: datetime,
) -> bool:  # fmt: skip
    """Say whether somebody may do an act to a thing, now; an unknown act nobody may.

    The thing is told by whose record it is in, its site, its organisation and all above (`line`).
    """
    scope = ACTS.get(act, {}).get(asker.role)
    if scope is Scope.OWN:
        return person is not None and person in asker.people
    if scope is Scope.SITE:
        return site is not None and site == asker.site
    if scope is Scope.ORGANISATION:
        return not reached(asker, act, handed=handed, now=now).isdisjoint(line)
    return scope is Scope.COUNTRY


def reached(
    asker: Asker, act: str, *, handed: Collection[Handed] = (), now: datetime
) -> frozenset[UUID]:
    """Return the organisations in which, and below which, somebody may do an act."""
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
    own = (act for act, reach in ACTS.items() if reach.get(role) is Scope.ORGANISATION)
    return [act for act in own if act != "delegate"]
