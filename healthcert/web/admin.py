"""The administrator's door: how the service stands."""

from __future__ import annotations

from flask import Blueprint, render_template

from healthcert.services import desk, signing_keys
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.verify import verifier

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.get("/")
def state() -> str:
    """Show the bundle's age, the work that waits, and how long the keys last."""
    with parts().doors.reading() as db:
        waiting = desk.waiting(db)
        keys = signing_keys.active(db, now())
    return render_template(
        "admin/state.html",
        now=now(),
        bundle=verifier().bundle(now()),
        waiting=waiting,
        keys=keys,
    )
