"""The door of lots: which there are, and what is ordered of them; a recall in one act."""

from datetime import date
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput, NotFound
from healthcert.services import judging_again, lots
from healthcert.web.here import done, parts, soon, today
from healthcert.web.refusals import shown_again

bp = Blueprint("lots", __name__, url_prefix="/admin/lots")


@bp.get("")
@shown_again(bp)
def every() -> str:
    """Show every lot with its state, and what may be ordered of it."""
    with parts().doors.reading() as db:
        found = lots.known(db)
    return render_template("admin/lots.html", lots=found, today=today(), soon=soon())


@bp.post("/<uuid:lot_id>")
def order(lot_id: UUID) -> Response:
    """Release a lot that somebody else received; with a day, extend it as its regulator did."""
    extended = request.form.get("expires_on", type=date.fromisoformat)
    if "expires_on" in request.form and extended is None:
        raise BadInput({"expires_on": "not_a_date" if request.form["expires_on"] else "missing"})
    since, reason = (None, "extended") if extended else (today(), "released")
    order = {"state": "released", "since": since, "reason": reason, "expires_on": extended}
    done(lots.order, lot_id=lot_id, country=parts().country, **order)
    return redirect(url_for(".every"), code=303)


@bp.post("/<uuid:lot_id>/set-aside")
def set_aside(lot_id: UUID) -> Response:
    """Put a lot back into quarantine at every site: what is given from today on does not count."""
    reason = request.form.get("reason", "")
    if reason not in lots.RECALLS:
        raise BadInput({"reason": "missing"})
    order = {"state": "quarantined", "since": today(), "reason": reason}
    done(lots.order, lot_id=lot_id, country=parts().country, **order)
    return redirect(url_for(".every"), code=303)


@bp.post("/<uuid:lot_id>/used-up")
def exhaust(lot_id: UUID) -> Response:
    """Close a lot of which nothing lies anywhere any more."""
    done(lots.exhaust, lot_id=lot_id)
    return redirect(url_for(".every"), code=303)


@bp.get("/<uuid:lot_id>/recall")
def foresee(lot_id: UUID) -> str:
    """Show whom a recall reaches; after it, how far it has come."""
    with parts().doors.reading() as db:
        found = lots.known(db, lot_id=lot_id)
        reached = lots.reached(db, lot_id=lot_id)
        left = judging_again.left(db, lot_id=lot_id)
    if not found:
        raise NotFound
    return render_template("admin/recall.html", lot=found[0], reached=reached, left=left)


@bp.post("/<uuid:lot_id>/recall")
def recall(lot_id: UUID) -> Response | tuple[str, int]:
    """Recall a lot: frozen everywhere at once; the worker judges, tells and withdraws."""
    reason = request.form.get("reason", "")
    if reason not in lots.RECALLS:
        g.wrong = {"reason": "missing"}
        return foresee(lot_id), HTTPStatus.BAD_REQUEST
    order = {"state": "recalled", "since": None, "reason": reason}
    done(lots.order, lot_id=lot_id, country=parts().country, **order)
    return redirect(url_for(".foresee", lot_id=lot_id), code=303)
