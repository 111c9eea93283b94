"""The end of the day at a clinic: doses left over, sums, counts by two, sessions closed."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response
from wtforms import IntegerField
from wtforms.validators import NumberRange

from healthcert.errors import BadInput
from healthcert.i18n import lazy as _
from healthcert.services import closing, finishing, observing, offers, roster
from healthcert.services.vials import opened as open_vials
from healthcert.web.answers import Answers, Radios, needed, options, words
from healthcert.web.clinic import own_site
from healthcert.web.here import done, parts, today
from healthcert.web.moment import now
from healthcert.web.refusals import shown_again

_TO_COME = 60  # minutes until those who accept are there
_DIGITS = 6  # more doses no shelf holds

bp = Blueprint("closing", __name__, url_prefix="/clinic")


class Spare(Answers):
    """Doses of open vials that would be thrown away."""

    session = Radios(_("From which vaccine?"), [needed])
    doses = IntegerField(_("How many doses are left?"), [NumberRange(1, 100)])


@bp.get("/closing/")
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


@bp.post("/closing/lots/<uuid:lot_id>")
def count(lot_id: UUID) -> Response:
    """Keep what one person counted, or settle it with what the first one did."""
    typed = request.form.get("found", "").strip()
    if not typed.isdecimal() or len(typed) > _DIGITS:
        raise BadInput({"found": "not_a_number"})
    result = done(closing.count, lot_id=lot_id, found=int(typed))
    return redirect(url_for(".page", count=result), code=303)


@bp.post("/closing/sessions/<uuid:session_id>")
def close(session_id: UUID) -> Response:
    """Close a session."""
    done(finishing.close, session_id=session_id)
    return redirect(url_for(".page"), code=303)


@bp.post("/closing/sessions/<uuid:session_id>/open")
def open_again(session_id: UUID) -> Response:
    """Open a session again that was closed too early."""
    done(finishing.open_again, session_id=session_id)
    return redirect(url_for(".page"), code=303)


@bp.route("/standby", methods=["GET", "POST"])
def standby() -> str | tuple[str, int] | Response:
    """Offer doses of open vials to those nearby who can come within the hour."""
    form = Spare(request.form or None)
    with parts().doors.reading() as db:
        site = roster.site(db, site_id=own_site())
        open_today = offers.sessions_today(db, site=site, now=now())
        spare = [one for one in open_vials(db, site_id=site.id) if one.minutes(now()) > _TO_COME]
    form.session.choices = options({str(one.id): product for one, product in open_today})
    given = {one.product_id for one, _product in open_today}
    left = [(each.product.name, each.left) for each in spare if each.lot.product_id in given]
    if request.method == "GET":
        form.doses.data = sum(doses for _name, doses in left) or None
    if request.method == "POST" and form.validate():
        session_id, doses = UUID(form.session.data), form.doses.data
        done(offers.standby, site=site, session_id=session_id, doses=doses)
        return redirect(url_for(".standby", done=form.doses.data), code=303)
    if form.doses.errors:
        form.doses.errors = [words("not_a_count", form.doses.label.text)]
    page = render_template("clinic/standby.html", form=form, site=site, left=left)
    return (page, 400) if form.errors else page
