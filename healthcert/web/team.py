"""Who works here: invited, signed out, let go, and let in anew by two administrators."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput, NotFound
from healthcert.i18n import gettext
from healthcert.i18n import lazy as _
from healthcert.services import invitations, roster
from healthcert.web import sessions
from healthcert.web.answers import Answers, Choice, Line, options
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.labels import ROLES, in_words
from healthcert.web.moment import now
from healthcert.web.staff import identifier

bp = Blueprint("team", __name__, url_prefix="/admin/staff")

_DEEDS = {"recover": invitations.ask_recovery, "sign_out": roster.sign_out, "end": roster.end_work}


class Newcomer(Answers):
    """Who is to work here."""

    name = Line(_("Name"))
    role = Choice(_("Role"), choices=options(ROLES))
    site = Choice(_("Place"))


@bp.get("")
def members() -> str:
    """Show who works here, and what may be done about each."""
    return _page(Newcomer())


@bp.post("")
def change() -> str | tuple[str, int] | Response:
    """Do one of these deeds; a code that comes of it is shown once."""
    if not sessions.lately():
        return redirect(url_for("staff.again", next=url_for(".members")), code=303)
    told, by, at, code = request.form, visitor().id, now(), ""
    deed, pepper = told.get("deed"), parts().pepper
    try:
        with parts().doors.transaction() as db:
            if deed == "invite":
                newcomer = {name: told.get(name, "") for name in ("name", "role", "site")}
                staff = roster.join(db, **newcomer, now=at)
                code = invitations.invite(db, pepper=pepper, staff_id=staff.id, by=by, now=at)
            else:
                staff_id = identifier(told.get("staff"))
                if roster.member(db, staff_id=staff_id) is None:
                    raise NotFound
                if deed == "grant":
                    code = invitations.grant(db, pepper=pepper, staff_id=staff_id, by=by, now=at)
                elif deed in _DEEDS:
                    _DEEDS[deed](db, staff_id=staff_id, by=by, now=at)
    except BadInput as wrong:
        form = Newcomer(told)
        form.take(wrong.fields)
        return _page(form), 400
    if code:
        place = parts().settings.base_url + url_for("account.invitation")
        return render_template("admin/invited.html", code=code, place=place)
    return redirect(url_for(".members"), code=303)


def _page(form: Newcomer) -> str:
    with parts().doors.reading() as db:
        staff, sites = roster.everyone(db), roster.sites(db)
        waiting = {asked.staff_id: asked for asked in invitations.waiting(db, now=now())}
    places = {key: in_words(site.names) for key, site in sites.items()}
    form.site.choices = options({"": gettext("None"), **places})
    return render_template("admin/staff.html", form=form, staff=staff, waiting=waiting)
