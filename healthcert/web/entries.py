"""The door of what came to a shelf and left it, and of what was written down wrong there."""

from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.services import correcting, entries, roster
from healthcert.services.part import Part
from healthcert.web.clinic import own_site
from healthcert.web.here import done, parts

bp = Blueprint("entries", __name__, url_prefix="/clinic/stock")

_SHOWN = 50  # on a page
_DIGITS = 6  # more doses no shelf holds


@bp.get("/lots/<uuid:lot_id>")
def every(lot_id: UUID) -> str:
    """Show what came to a shelf and left it, the newest first."""
    before = request.args.get("before", type=_ordinal)
    part = Part((before,) if before else (), _SHOWN + 1, newest=True)
    with parts().doors.reading() as db:
        return render_template(
            "clinic/entries.html", before=before, shown=_SHOWN, kinds=correcting.CORRECTED,
            shelf=entries.one_shelf(db, site_id=own_site(), lot_id=lot_id),
            found=entries.listed(db, site_id=own_site(), lot_id=lot_id, part=part),
            zone=roster.site(db, site_id=own_site()).time_zone,
        )  # fmt: skip


@bp.get("/entries/<uuid:move_id>")
def one(move_id: UUID, left: int | None = None) -> str:
    """Show an entry of a shelf, and ask what is right instead."""
    with parts().doors.reading() as db:
        found = entries.one(db, site_id=own_site(), move_id=move_id)
        return render_template(
            "clinic/entry.html", found=found, left=left, kinds=correcting.CORRECTED,
            shelf=entries.one_shelf(db, site_id=own_site(), lot_id=found.StockMove.lot_id),
            zone=roster.site(db, site_id=own_site()).time_zone,
        )  # fmt: skip


@bp.post("/entries/<uuid:move_id>")
def correct(move_id: UUID) -> Response | tuple[str, int]:
    """Take an entry back that was wrong, and write the right one in its place."""
    typed = request.form.get("quantity", "").strip()
    number = typed.isdecimal() and len(typed) <= _DIGITS
    quantity = int(typed) if number else -1 if typed else 0
    with parts().doors.reading() as db:
        lot_id = entries.one(db, site_id=own_site(), move_id=move_id).StockMove.lot_id
    try:
        why = request.form.get("why", "")
        done(correcting.correct, move_id=move_id, quantity=quantity, why=why)
    except BadInput as refusal:
        g.wrong = refusal.fields
        return one(move_id, getattr(refusal, "left", None)), HTTPStatus.BAD_REQUEST
    return redirect(url_for(".every", lot_id=lot_id), code=303)


def _ordinal(text: str) -> int:
    if not 0 < (number := int(text)) < 2**31:
        raise ValueError(text)
    return number
