"""Who may pass which door: one check before every request, and whoever is not named stays out.

`ACTS` names, for every endpoint, the act it is; `healthcert.policy.roles` names who may do
the act. An endpoint that is not in the table is refused to everyone. Which things a role
reaches is decided where they are looked up: what is another's is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, g, redirect, request, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug import Response
from wtforms import ValidationError

from healthcert.errors import NotAllowed, NotSignedIn, PageExpired, ProveAgain
from healthcert.policy.roles import FRESH, FRESH_FOR, Role, has
from healthcert.web.errors import is_api
from healthcert.web.moment import now

ACTS: Mapping[str, str] = {
    "health.alive": "read_public_page",
    "health.ready": "read_public_page",
    "metrics.metrics": "read_metrics",
    "verify.page": "verify_certificate",
    "verify.check": "verify_certificate",
    "verify.bundle": "verify_certificate",
    "verify.part": "verify_certificate",
    "api.verify": "verify_certificate",
    "api.verify_batch": "verify_certificate",
    "public.home": "read_public_page",
    "places.start": "search_places",
    "places.slots": "search_places",
    "booking.details": "book_appointment",
    "booking.keep_details": "book_appointment",
    "booking.check": "book_appointment",
    "booking.book": "book_appointment",
    "booking.done": "book_appointment",
    "citizen.sign_in": "ask_for_code",
    "citizen.ask_code": "ask_for_code",
    "national.start": "sign_in",
    "national.back": "sign_in",
    "citizen.code": "sign_in",
    "citizen.redeem": "sign_in",
    "citizen.overview": "see_own_record",
    "citizen.cancel": "cancel_own_appointment",
    "citizen.certificate": "see_own_certificate",
    "citizen.certificate_file": "see_own_certificate",
    "rights.record": "see_own_record",
    "rights.as_json": "see_own_record",
    "rights.as_pdf": "see_own_record",
    "rights.seen": "see_own_record",
    "rights.certificate": "see_own_certificate",
    "rights.foresee": "erase_own_record",
    "rights.confirm": "erase_own_record",
    "rights.erase": "erase_own_record",
    "family.page": "keep_family",
    "family.look_after": "keep_family",
    "family.child": "keep_family",
    "family.invite": "keep_family",
    "family.join": "keep_family",
    "family.end": "keep_family",
    "staff.sign_in": "sign_in",
    "staff.again": "prove_again",
    "staff.ask_passkey": "sign_in",
    "staff.with_passkey": "sign_in",
    "staff.with_password": "sign_in",
    "staff.to_provider": "sign_in",
    "staff.from_provider": "sign_in",
    "staff.lock": "sign_out",
    "staff.sign_out": "sign_out",
    "account.invitation": "sign_in",
    "account.redeem": "sign_in",
    "account.enrol": "sign_in",
    "account.ask_passkey": "sign_in",
    "account.add_passkey": "sign_in",
    "account.add_password": "sign_in",
    "account.own": "manage_own_account",
    "account.change": "manage_own_account",
    "team.members": "see_organisations",
    "team.invite": "invite_staff",
    "team.recover": "recover_staff",
    "team.grant": "recover_staff",
    "team.sign_out": "end_sessions",
    "team.end_work": "end_work",
    "styleguide": "read_public_page",
    "dev.sign_in": "sign_in",
    "dev.become": "sign_in",
    "dev.outbox": "read_public_page",
    "clinic.day": "see_day_list",
    "clinic.find": "see_day_list",
    "clinic.appointment": "see_patient",
    "clinic.arrive": "register_arrival",
    "clinic.document": "help_in_person",
    "clinic.card": "help_in_person",
    "clinic.assist": "help_in_person",
    "doses.ask": "record_dose",
    "doses.record": "record_dose",
    "doses.recorded": "see_patient",
    "doses.error_form": "mark_dose_in_error",
    "doses.mark_in_error": "mark_dose_in_error",
    "admin.state": "see_service_state",
    "admin.organisations": "see_organisations",
    "admin.delegate": "delegate",
    "admin.revoke": "delegate",
    "admin.alarm": "settle_alarm",
    "admin.held": "see_organisations",
    "admin.release": "release_certificates",
}
# Answered without looking who asks: no session is read, and no form token is asked for,
# because nothing is changed by them for anybody.
STATELESS = frozenset({"verify_certificate", "read_public_page", "read_metrics"})

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is asking: a citizen, or a member of staff with one role."""

    role: Role  # what they are here
    id: UUID  # the person's or the staff member's identifier
    name: str = ""  # what to call a member of staff; empty for a citizen
    site_id: UUID | None = None  # the clinic staff's own site
    organisation_id: UUID | None = None  # whom they work for; None for a citizen
    proved_at: datetime | None = None  # when who it is was last proved
    person_id: UUID | None = None  # whose record is open: the citizen's, or of whom one looks after


Who = Callable[[], Visitor | None]


def visitor() -> Visitor:
    """Return who is asking; only behind a door that belongs to roles."""
    return cast(Visitor, g.visitor)


def inside(address: str | None) -> str | None:
    """Return an address of this service as it was given, or None for anything that leads out."""
    if not address or not address.startswith("/") or not address.isprintable():
        return None
    if address[1:2] in {"/", "\\"} or "\\" in address:
        return None  # browsers read //host and /\host as another host
    parts = urlsplit(address)
    return None if parts.scheme or parts.netloc else address


def init_guards(app: Flask, who: Who) -> None:
    """Check every request of this application before its view runs.

    Args:
        app: The application.
        who: Tells who is asking, from the session.
    """

    def guard() -> Response | None:
        if request.endpoint is None:
            return None  # no such address, or not with this method: there is no view to guard
        act = ACTS.get(request.endpoint)
        if act is None:
            raise NotAllowed
        if act in STATELESS:
            return None
        turned_away = _admit(act, who)
        if turned_away is None:
            _check_token()
        return turned_away

    app.before_request(guard)


def _admit(act: str, who: Who) -> Response | None:
    if has(None, act):
        return None
    found = who()
    if found is None:
        return _to_sign_in(act)
    if not has(found.role, act):
        raise NotAllowed
    g.visitor = found
    if act in FRESH and (found.proved_at is None or now() - found.proved_at > FRESH_FOR):
        raise ProveAgain
    return None


def _to_sign_in(act: str) -> Response:
    if is_api():
        raise NotSignedIn
    door = "citizen.sign_in" if has(Role.CITIZEN, act) else "staff.sign_in"
    back = request.full_path.rstrip("?") if request.method in _SAFE else None
    return redirect(url_for(door, next=back), code=303)


def _check_token() -> None:
    if request.method in _SAFE:
        return
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError as wrong:
        raise PageExpired from wrong
