"""Staff at the door: the way in, the way out, and who is asking."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response

from healthcert.policy.roles import Role
from healthcert.services import roster
from healthcert.web.family import looking_after
from healthcert.web.guards import Visitor, inside
from healthcert.web.here import parts
from healthcert.web.sessions import sign_out as end_session

bp = Blueprint("staff", __name__)

# Where each role's day begins.
HOMES = {
    Role.CITIZEN: "citizen.overview",
    Role.CLERK: "clinic.day",
    Role.NURSE: "clinic.day",
    Role.ADMIN: "admin.state",
}


def who() -> Visitor | None:
    """Return who is signed in: a citizen, or a member of staff who still works here."""
    if "person" in session:
        person_id = UUID(session["person"])
        return looking_after(Visitor(Role.CITIZEN, person_id, person_id=person_id))
    if "staff" not in session:
        return None
    with parts().doors.reading() as db:
        found = roster.member(db, staff_id=UUID(session["staff"]))
    if found is None:
        return None
    return looking_after(Visitor(Role(found.role), found.id, found.name, found.site_id))


@bp.get("/sign-in")
def sign_in() -> str:
    """Show staff their way in."""
    return render_template(
        "staff/sign_in.html",
        development=parts().settings.development,
        back=inside(request.args.get("next")),
    )


@bp.post("/sign-out")
def sign_out() -> Response:
    """End the session of whoever is signed in."""
    end_session()
    return redirect(url_for("public.home"), code=303)
