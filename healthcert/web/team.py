"""Who works here: invited, signed out, let go, and let in anew by two administrators."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.i18n import gettext
from healthcert.i18n import lazy as _
from healthcert.services import delegating, invitations, roster
from healthcert.web.answers import Answers, Choice, Line, one_of, options
from healthcert.web.guards import visitor
from healthcert.web.here import T, parts
from healthcert.web.labels import ROLES, in_words
from healthcert.web.moment import now

bp = Blueprint("team", __name__, url_prefix="/admin/staff")


class Newcomer(Answers):
    """Who is to work here."""

    name = Line(_("Name"))
    role = Choice(_("Role"), choices=one_of(ROLES))
    site = Choice(_("Place"))


@bp.get("")
def members() -> str:
    """Show who works in one's reach, and what may be done about each."""
    return _page(Newcomer())


@bp.post("")
def invite() -> str | tuple[str, int]:
    """Take somebody in at a site of one's reach; the code that lets them in is shown once."""
    told, at = request.form, now()
    try:
        with parts().doors.transaction() as db:
            by = roster.present(db, staff_id=visitor().id)
            reach = delegating.within(db, staff=by, act="see_organisations", now=at)
            sites = {str(each.id): each for each in delegating.sites_of(db, reach)}
            staff = roster.join(
                db, name=told.get("name", ""), role=told.get("role", ""),
                site=sites.get(told.get("site", "")), employer=visitor().organisation_id, now=at,
            )  # fmt: skip
            code = invitations.invite(
                db, pepper=parts().pepper, staff_id=staff.id, by=by.id, now=at
            )
    except BadInput as wrong:
        form = Newcomer(told)
        form.take(wrong.fields)
        return _page(form), 400
    return _shown_once(code)


@bp.post("/<uuid:staff_id>/recover")
def recover(staff_id: UUID) -> Response:
    """Ask that somebody who lost every key comes in anew."""
    _done(staff_id, "recover_staff", invitations.ask_recovery)
    return _back()


@bp.post("/<uuid:staff_id>/grant")
def grant(staff_id: UUID) -> str:
    """Agree to what another asked for; the code that lets them in is shown once."""
    return _shown_once(
        _done(staff_id, "recover_staff", partial(invitations.grant, pepper=parts().pepper))
    )


@bp.post("/<uuid:staff_id>/sign-out")
def sign_out(staff_id: UUID) -> Response:
    """End every session of somebody."""
    _done(staff_id, "end_sessions", roster.sign_out)
    return _back()


@bp.post("/<uuid:staff_id>/end")
def end_work(staff_id: UUID) -> Response:
    """End somebody's work here."""
    _done(staff_id, "end_work", roster.end_work)
    return _back()


def _done(staff_id: UUID, act: str, deed: Callable[..., T]) -> T:
    """Return what a deed about a colleague in one's reach returns."""
    at = now()
    with parts().doors.transaction() as db:
        by = roster.present(db, staff_id=visitor().id)
        roster.colleague(db, staff=by, staff_id=staff_id, act=act, now=at)
        return deed(db, staff_id=staff_id, by=by.id, now=at)


def _back() -> Response:
    return redirect(url_for(".members"), code=303)


def _shown_once(code: str) -> str:
    place = parts().settings.base_url + url_for("account.invitation")
    return render_template("admin/invited.html", code=code, place=place)


def _page(form: Newcomer) -> str:
    with parts().doors.reading() as db:
        by = roster.present(db, staff_id=visitor().id)
        reach = delegating.within(db, staff=by, act="see_organisations", now=now())
        staff, sites = roster.colleagues(db, reach=reach), delegating.sites_of(db, reach)
        waiting = {asked.staff_id: asked for asked in invitations.waiting(db, now=now())}
    places = {str(site.id): in_words(site.names) for site in sites}
    form.site.choices = options({"": gettext("None"), **places})
    return render_template("admin/staff.html", form=form, staff=staff, waiting=waiting)
