"""Who may pass which door: one check before every request, and whoever is not named stays out.

`healthcert.web.acts` names the act of every endpoint, `healthcert.policy.roles` who may do it.
Which things a role reaches is decided where they are looked up: what is another's is not found.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast
from uuid import UUID

from flask import Flask, g, redirect, request, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug import Response
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from wtforms import ValidationError

from healthcert.errors import BadInput, NotAllowed, NotSignedIn, PageExpired, ProveAgain
from healthcert.policy.roles import FRESH, FRESH_FOR, Role, has
from healthcert.web.acts import ACTS, STATELESS
from healthcert.web.errors import is_api
from healthcert.web.moment import now

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is asking: a citizen, or a member of staff with one role."""

    role: Role  # what they are here; whoever acts for a citizen is one
    id: UUID  # the person's or the staff member's identifier
    name: str = ""  # what to call a member of staff; empty for a citizen
    site_id: UUID | None = None  # the clinic staff's own site
    organisation_id: UUID | None = None  # whom they work for; None for a citizen
    proved_at: datetime | None = None  # when who it is was last proved
    person_id: UUID | None = None  # whose record is open: the citizen's, or of whom one looks after
    token: bytes | None = None  # the hash of a program's token
    acts: frozenset[str] | None = None  # those that the token is for; None for all of the role's
    reads_only: bool = False  # whether the token changes nothing
    works_here: bool = False  # whether it is a member of staff, whomever they act for


Who = Callable[[], Visitor | None]


def visitor() -> Visitor:
    """Return who is asking; only behind a door that belongs to roles."""
    return cast(Visitor, g.visitor)


def program() -> Visitor | None:
    """Return for whom a program asks; None where it came without a token."""
    return cast("Visitor | None", g.get("visitor"))


def init_guards(app: Flask, who: Who, bearer: Who = lambda: None) -> None:
    """Check every request of this application before its view runs.

    Args:
        app: The application.
        who: Tells who is asking, from the session.
        bearer: Tells for whom a program asks, from its token: no session counts under ``/api/``,
            so no form token is needed there.
    """

    def guard() -> Response | None:
        if request.endpoint is None:
            return None  # no such address, or not with this method: there is no view to guard
        act = ACTS.get(request.endpoint)
        if act is None:
            raise NotAllowed
        _refuse_nul(request.args)
        if act in STATELESS:
            return None
        if is_api():
            _admit_program(act, bearer)
            return None
        turned_away = _admit(act, who)
        if turned_away is None:
            _check_token()
            _refuse_nul(request.form)
        return turned_away

    app.before_request(guard)


def _refuse_nul(sent: MultiDict[str, str]) -> None:
    """Refuse a text that PostgreSQL has no place for: no form of ours is shown again with it."""
    if any("\0" in told for _name, told in sent.items(multi=True)):
        raise BadRequest


def _admit(act: str, who: Who) -> Response | None:
    if has(None, act):
        return None
    found = who()
    if found is None:
        return _to_sign_in(act)
    _let(found, act)
    return None


def _admit_program(act: str, bearer: Who) -> None:
    g.visitor = found = bearer()
    if found is not None:
        _let(_acting(found), act)
    elif not has(None, act):
        raise NotSignedIn


def _acting(own: Visitor) -> Visitor:
    """Return a program's visitor, as a citizen at the record that ``Acting-For`` names, if any."""
    whom = request.headers.get("Acting-For")
    try:
        return own if whom is None else replace(own, role=Role.CITIZEN, person_id=UUID(whom))
    except ValueError:
        raise BadInput({"Acting-For": "not_valid"}) from None


def _let(found: Visitor, act: str) -> None:
    g.visitor = found  # the page that refuses shows who is signed in
    if not has(found.role, act) or not (found.acts is None or act in found.acts):
        raise NotAllowed
    if act in FRESH and (found.proved_at is None or now() - found.proved_at > FRESH_FOR):
        raise ProveAgain


def _to_sign_in(act: str) -> Response:
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
