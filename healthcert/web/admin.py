"""The administrator's door: how the service stands."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.services import alarms, desk, roster
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.verify import verifier

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.get("/")
def state() -> str:
    """Show the bundle's age, the work that waits, and how long the keys last."""
    with parts().doors.reading() as db:
        waiting, raised = desk.waiting(db), alarms.still_open(db)
    return render_template(
        "admin/state.html",
        now=now(),
        bundle=verifier().bundle(now()),
        waiting=waiting,
        alarms=raised,
        signers=parts().signers,
    )


@bp.post("/alarms/<uuid:alarm_id>")
def alarm(alarm_id: UUID) -> Response:
    """Note that an alarm was seen or, where a reason is given, close it."""
    with parts().doors.transaction() as db:
        staff = roster.present(db, staff_id=visitor().id)
        reason = request.form.get("reason", "")
        alarms.settle(db, alarm_id=alarm_id, reason=reason, staff=staff, now=now())
    return redirect(url_for(".state"), code=303)
