"""The end of the day at a clinic: sums, counts by two people, sessions closed."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.services import closing, finishing, observing, roster
from healthcert.web.clinic import own_site
from healthcert.web.here import done, parts, today
from healthcert.web.moment import now
from healthcert.web.refusals import shown_again

_DIGITS = 6  # more doses no shelf holds

bp = Blueprint("closing", __name__, url_prefix="/clinic/closing")


@bp.get("/")
@shown_again(bp)
def page() -> str:
    """Show what the day comes to, what is still to be counted, and who is still here."""
    with parts().doors.reading() as db:
        site = roster.site(db, site_id=own_site())
        day = today(site.time_zone)
        lots, sessions = closing.sums(db, site=site, day=day, now=now())
        watched = observing.count(db, site_id=site.id, now=now())
    return render_template(
        "clinic/closing.html", site=site, day=day, lots=lots, sessions=sessions, watched=watched,
        result=request.args.get("count"), again=request.args.get("again", type=UUID),
    )  # fmt: skip


@bp.post("/lots/<uuid:lot_id>")
def count(lot_id: UUID) -> Response:
    """Keep what one person counted, or settle it with what the first one did."""
    typed = request.form.get("found", "").strip()
    if not typed.isdecimal() or len(typed) > _DIGITS:
        raise BadInput({"found": "not_a_number"})
    result = done(closing.count, lot_id=lot_id, found=int(typed))
    return redirect(url_for(".page", count=result), code=303)


@bp.post("/sessions/<uuid:session_id>")
def close(session_id: UUID) -> Response:
    """Close a session."""
    done(finishing.close, session_id=session_id)
    return redirect(url_for(".page"), code=303)


@bp.post("/sessions/<uuid:session_id>/open")
def open_again(session_id: UUID) -> Response:
    """Open a session again that was closed too early."""
    done(finishing.open_again, session_id=session_id)
    return redirect(url_for(".page"), code=303)
