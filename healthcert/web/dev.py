"""The demonstration's doors: be anybody, read every message. They exist in development only."""

from flask import Blueprint, render_template, request, session
from werkzeug import Response

from healthcert.errors import NotFound
from healthcert.services import messages, roster
from healthcert.web.guards import inside
from healthcert.web.here import parts
from healthcert.web.sessions import sign_out
from healthcert.web.staff import identifier, let_in

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
    staff_id = identifier(request.form.get("staff"))
    with parts().doors.reading() as db:
        if roster.member(db, staff_id=staff_id) is None:
            raise NotFound
    if session.get("staff") != str(staff_id):
        sign_out()
    return let_in(staff_id, request.form.get("next"))


@bp.get("/outbox")
def outbox() -> str:
    """Show the newest messages, as their receivers would read them."""
    with parts().doors.reading() as db:
        found = messages.outbox(db, vault=parts().vault, limit=_NEWEST)
    return render_template("dev/outbox.html", messages=found)
