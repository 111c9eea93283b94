"""The demonstration's doors: be anybody, read every message. They exist in development only."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import NotFound
from healthcert.policy.roles import Role
from healthcert.services import messages, roster
from healthcert.web.guards import inside
from healthcert.web.here import parts
from healthcert.web.sessions import sign_in as begin_session
from healthcert.web.staff import HOMES

bp = Blueprint("dev", __name__, url_prefix="/dev")

_NEWEST = 50


@bp.get("/sign-in")
def sign_in() -> str:
    """List the demonstration's staff, to be any of them."""
    with parts().doors.reading() as db:
        staff = roster.everyone(db)
    return render_template("dev/sign_in.html", staff=staff, back=inside(request.args.get("next")))


@bp.post("/sign-in")
def become() -> Response:
    """Sign in as a member of the demonstration's staff."""
    with parts().doors.reading() as db:
        found = roster.member(db, staff_id=_identifier(request.form.get("staff", "")))
    if found is None:
        raise NotFound
    begin_session("staff", found.id)
    home = url_for(HOMES[Role(found.role)])
    return redirect(inside(request.form.get("next")) or home, code=303)


@bp.get("/outbox")
def outbox() -> str:
    """Show the newest messages, as their receivers would read them."""
    with parts().doors.reading() as db:
        found = messages.outbox(db, vault=parts().vault, limit=_NEWEST)
    return render_template("dev/outbox.html", messages=found)


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
