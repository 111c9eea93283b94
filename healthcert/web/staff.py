"""Staff at the door: who is asking, and every way in and out.

A passkey, a password with a time code, or the provider the operator named; each ends in
`let_in`. Who is signed in already proves again by the same ways, and stays who they are.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from werkzeug import Response as Redirect
from wtforms import PasswordField

from healthcert.config import Oidc
from healthcert.errors import NotFound, NotProved
from healthcert.gateways.oidc import Provider
from healthcert.i18n import lazy as _
from healthcert.models import Staff
from healthcert.policy.roles import Role
from healthcert.services import invitations, passkeys, passwords, roster, visits
from healthcert.web import sessions
from healthcert.web.answers import Answers, Line, needed, words
from healthcert.web.errors import inside
from healthcert.web.family import looking_after
from healthcert.web.guards import Visitor, visitor
from healthcert.web.here import limit, parts
from healthcert.web.moment import now

bp = Blueprint("staff", __name__)
_log = logging.getLogger(__name__)

_Page = str | tuple[str, int] | Redirect

# Where each role's day begins.
HOMES = {
    Role.CITIZEN: "citizen.overview",
    Role.CLERK: "clinic.day",
    Role.NURSE: "clinic.day",
    Role.LEAD: "clinic.day",
    Role.ADMIN: "admin.state",
    Role.KEY_OFFICER: "admin.state",
    Role.INSPECTOR: "admin.state",
}


class Known(Answers):
    """What a member of staff knows, and what their program for time codes shows."""

    login = Line(_("Sign-in name"), [needed])
    password = PasswordField(_("Password"), [needed])
    code = Line(_("Time code"), [needed])


def who() -> Visitor | None:
    """Return who is signed in: a citizen, or a member of staff who still works here."""
    if "person" in session:
        person_id, proved_at = UUID(session["person"]), sessions.proved_at()
        own = Visitor(Role.CITIZEN, person_id, proved_at=proved_at, person_id=person_id)
        return looking_after(own)
    if "staff" not in session:
        return None
    with parts().doors.reading() as db:
        employee = employed(db, UUID(session["staff"]), sessions.proved_at())
    return employee and looking_after(employee)


def employed(db: Any, staff_id: UUID, proved_at: datetime | None) -> Visitor | None:  # noqa: ANN401
    """Return a member of staff who still works here as a visitor; views know no SQL."""
    if (found := roster.employed(db, staff_id=staff_id)) is None:
        return None
    staff, employer = found
    at, role = staff.site_id, Role(staff.role)
    return Visitor(role, staff.id, staff.name, at, employer, proved_at, works_here=True)


def let_in(staff_id: UUID, following: str | None) -> Redirect:
    """Begin a session of somebody who has just proved who they are, and lead them on.

    Raises:
        NotProved: They work here no more, or somebody else is signed in.
    """
    with parts().doors.transaction() as db:
        member = roster.member(db, staff_id=staff_id)
        if member is None or session.get("staff", str(staff_id)) != str(staff_id):
            raise NotProved
        roster.note(db, "signed_in", staff_id, staff_id, now())
        left = visits.take_back(db, staff_id=staff_id, device=sessions.this_device(), now=now())
    sessions.sign_in("staff", staff_id, left=left)
    home = url_for(HOMES[Role(member.role)])
    return redirect(inside(following) or home, code=303)


@bp.get("/sign-in")
def sign_in() -> _Page:
    """Show staff their ways in, and who else works on this device; whoever is in goes home."""
    found = who() if "staff" in session and _next() is None else None
    return redirect(url_for(HOMES[found.role]), code=303) if found else _ways_in(Known())


@bp.get("/sign-in/again")
def again() -> _Page:
    """Ask who is signed in to prove it once more."""
    if visitor().role == Role.CITIZEN:
        return redirect(url_for("citizen.sign_in", next=_next()), code=303)
    return _ways_in(Known())


@bp.post("/sign-in/passkey/ask")
def ask_passkey() -> Response:
    """Tell the browser what a passkey has to answer."""
    asked, session["passkey"] = passkeys.any_of(base_url=parts().settings.base_url, now=now())
    return Response(asked, content_type="application/json")


@bp.post("/sign-in/passkey")
def with_passkey() -> Redirect:
    """Let in whoever's passkey has answered."""
    kept, answer = session.pop("passkey", {}), request.form.get("answer", "")
    base_url = parts().settings.base_url
    with parts().doors.transaction() as db:
        staff_id = passkeys.prove(db, kept=kept, answer=answer, base_url=base_url, now=now())
    return let_in(staff_id, _next())


@bp.post("/sign-in/password")
def with_password() -> _Page:
    """Let in whoever knows the password and shows the time code."""
    form = Known(request.form)
    if not form.validate():
        return _ways_in(form), 400
    told = form.data
    limit("staff_sign_in", told["login"].casefold())
    with parts().doors.transaction() as db:
        counted = passwords.count_try(db, login=told.pop("login"), now=now())
    right = passwords.check(counted, vault=parts().vault, **told, now=now())
    with parts().doors.transaction() as db:
        staff_id = passwords.accept(db, right=right)
    return let_in(staff_id, _next())


@bp.get("/sign-in/provider")
def to_provider() -> Redirect:
    """Send somebody to the identity provider."""
    address, kept = _provider().start(now(), again="staff" in session)
    session["provider"] = kept | {"next": _next()}
    return redirect(address, code=303)


@bp.get("/sign-in/back")
def from_provider() -> Redirect:
    """Let in whom the provider has seen, if a member of staff is linked to them."""
    kept = session.pop("provider", None)
    if kept is None:
        return redirect(url_for(".sign_in"), code=303)
    seen = _provider().finish(kept, request.args, now())
    subject = {"issuer": seen.issuer, "subject": seen.sub}
    with parts().doors.transaction() as db:
        if "invited" in session:
            invited = UUID(session["invited"])
            staff = invitations.newcomer(db, invitation_id=invited, use=True, now=now())
            roster.link(db, staff_id=staff.id, **subject, now=now())
        staff_id = roster.linked(db, **subject)
    return let_in(staff_id, kept["next"])


@bp.errorhandler(NotProved)
def not_proved(_refusal: NotProved) -> tuple[str, int]:
    """Show the ways in once more, and say no word of what was wrong."""
    _log.warning("not proved", extra={"code": NotProved.code, "route": request.endpoint})
    form = Known()
    form.form_errors.append(words("not_proved", _("Sign-in")))
    return _ways_in(form), 403


@bp.post("/lock")
def lock() -> Redirect:
    """Leave the device to a colleague; what was typed waits for its owner."""
    if "staff" in session:
        with parts().doors.transaction() as db:
            visits.lock(db, token_hash=sessions.key(), now=now())
        sessions.this().leave()
    return redirect(url_for(".sign_in"), code=303)


@bp.post("/sign-out")
def sign_out() -> Redirect:
    """End the session of whoever is signed in; the browser forgets what it has of us."""
    sessions.sign_out()
    home = redirect(url_for("public.home"), code=303)
    home.headers["Clear-Site-Data"] = '"cache", "storage"'
    return home


def provider(named: Oidc | None, back: str, scope: str = "openid") -> Provider:
    """Return an identity provider that sends back to an endpoint; `NotFound` if there is none."""
    if named is None:
        raise NotFound
    place = parts().settings.base_url + url_for(back)
    return Provider.from_settings(named, redirect=place, scope=scope)


def identifier(text: str | None) -> UUID:
    """Return an identifier that came with a form; `NotFound` if it is none."""
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFound from None


def _provider() -> Provider:
    return provider(parts().settings.staff_oidc, "staff.from_provider")


def _next() -> str | None:
    return inside(request.values.get("next"))


def _ways_in(form: Known) -> str:
    others: Sequence[Staff] = []
    if here := sessions.this_device():
        with parts().doors.reading() as db:
            others = visits.waiting(db, device=here, now=now())
    return render_template(
        "staff/sign_in.html", form=form, back=_next(), others=others, again="staff" in session,
        development=parts().settings.development, provider=parts().settings.staff_oidc,
    )  # fmt: skip
