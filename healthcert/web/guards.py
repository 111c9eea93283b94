"""Who may pass which door: one check before every request, and whoever is not named stays out.

`ACTS` names, for every endpoint, the act it is. An act is open (answered without looking who
asks), public (anyone, with a session where one is needed), or belongs to roles
(`healthcert.policy.roles`). An endpoint that is not in the table is refused to everyone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, g, redirect, request, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug import Response
from wtforms import ValidationError

from healthcert.errors import NotAllowed, NotSignedIn, PageExpired
from healthcert.policy.roles import may
from healthcert.web.errors import is_api

OPEN = "open"
PUBLIC = "public"

ACTS: Mapping[str, str] = {
    "health.alive": OPEN,
    "health.ready": OPEN,
    "verify.page": OPEN,
    "verify.check": OPEN,
    "verify.bundle": OPEN,
    "api.verify": OPEN,
    "api.verify_batch": OPEN,
    "public.home": PUBLIC,
    "booking.start": PUBLIC,
    "booking.slots": PUBLIC,
    "booking.details": PUBLIC,
    "booking.keep_details": PUBLIC,
    "booking.check": PUBLIC,
    "booking.book": PUBLIC,
    "booking.done": PUBLIC,
    "citizen.sign_in": PUBLIC,
    "citizen.ask_code": PUBLIC,
    "citizen.code": PUBLIC,
    "citizen.redeem": PUBLIC,
    "citizen.overview": "own_record",
    "citizen.certificate": "own_record",
    "citizen.certificate_file": "own_record",
    "staff.sign_in": PUBLIC,
    "staff.sign_out": PUBLIC,
    "dev.sign_in": PUBLIC,
    "dev.become": PUBLIC,
    "dev.outbox": PUBLIC,
    "clinic.day": "see_day",
    "clinic.appointment": "see_day",
    "clinic.arrive": "mark_arrived",
    "clinic.dose": "record_dose",
    "clinic.record": "record_dose",
    "clinic.recorded": "record_dose",
    "clinic.error_form": "correct_dose",
    "clinic.mark_in_error": "correct_dose",
    "admin.state": "see_state",
}

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_CITIZEN_ACTS = frozenset({"own_record"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is asking: a citizen, or a member of staff with one role.

    Attributes:
        role: ``citizen``, ``clerk``, ``nurse`` or ``admin``.
        id: The person's or the staff member's identifier.
        name: What to call a member of staff; empty for a citizen.
        site_id: The clinic staff's own site.
    """

    role: str
    id: UUID
    name: str = ""
    site_id: UUID | None = None


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
        if act == OPEN:
            return None
        return _admit(act, who) or _check_token()

    app.before_request(guard)


def _admit(act: str, who: Who) -> Response | None:
    if act == PUBLIC:
        return None
    found = who()
    if found is None:
        return _to_sign_in(act)
    if not may(found.role, act):
        raise NotAllowed
    g.visitor = found
    return None


def _to_sign_in(act: str) -> Response:
    if is_api():
        raise NotSignedIn
    door = "citizen.sign_in" if act in _CITIZEN_ACTS else "staff.sign_in"
    back = request.full_path.rstrip("?") if request.method in _SAFE else None
    return redirect(url_for(door, next=back), code=303)


def _check_token() -> None:
    if request.method in _SAFE:
        return
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError as wrong:
        raise PageExpired from wrong
