"""Who may do what: one table, and whatever does not stand in it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a signed-in person is here."""

    CITIZEN = "citizen"
    CLERK = "clerk"
    NURSE = "nurse"
    ADMIN = "admin"


ANYONE: frozenset[Role | None] = frozenset({None, *Role})  # None is a stranger
_HOLDER: frozenset[Role | None] = frozenset({Role.CITIZEN})
_CLINIC: frozenset[Role | None] = frozenset({Role.CLERK, Role.NURSE})
_NURSE: frozenset[Role | None] = frozenset({Role.NURSE})
_ADMIN: frozenset[Role | None] = frozenset({Role.ADMIN})
_STAFF: frozenset[Role | None] = _CLINIC | _ADMIN

ACTS: Mapping[str, frozenset[Role | None]] = MappingProxyType(
    {
        "read_public_page": ANYONE,
        "verify_certificate": ANYONE,
        "search_places": ANYONE,
        "book_appointment": ANYONE,
        "ask_for_code": ANYONE,
        "sign_in": ANYONE,
        "sign_out": ANYONE,
        "see_own_record": _HOLDER,
        "see_own_certificate": _HOLDER,
        "erase_own_record": _HOLDER,
        "keep_family": _HOLDER,
        "cancel_own_appointment": _HOLDER,
        "move_own_appointment": _HOLDER,
        "see_day_list": _CLINIC,
        "see_patient": _CLINIC,
        "register_arrival": _CLINIC,
        "book_for_someone": _CLINIC,
        "help_in_person": _CLINIC,
        "record_dose": _NURSE,
        "record_not_vaccinated": _NURSE,
        "mark_dose_in_error": _NURSE,
        "see_service_state": _ADMIN,
        "recover_staff": _ADMIN,
        "manage_own_account": _STAFF,
        "prove_again": _STAFF | _HOLDER,
    }
)


def may(role: Role | None, act: str) -> bool:
    """Say whether a role, or a stranger (None), may do an act; an unknown act nobody may."""
    return role in ACTS.get(act, frozenset())
