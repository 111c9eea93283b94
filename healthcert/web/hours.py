"""The door of opening hours: as they were and will be, and others that hold from a day on."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.data import labels
from healthcert.errors import BadInput
from healthcert.models import Site, Staff
from healthcert.services import delegating, hours, new_hours, roster
from healthcert.web.answers import Answers, Line
from healthcert.web.guards import visitor
from healthcert.web.here import done, parts, today
from healthcert.web.moment import now

bp = Blueprint("hours", __name__, url_prefix="/admin/sites/<uuid:site_id>/hours")


class Since(Answers):
    """Hours, and from which day on they are to hold."""

    hours = Line(labels("site")["hours"])
    since = Line(labels("fields")["since"])

    @property
    def told(self) -> dict[str, Any]:
        """Return them as the deed takes them.

        Raises:
            BadInput: The day is none, or no hours are told: empty ones mean closed.
        """
        if not self.hours.raw_data:
            raise BadInput({"hours": "missing"})
        try:
            return {"hours": self.hours.data, "since": date.fromisoformat(self.since.data)}
        except ValueError:
            raise BadInput({"since": "not_a_date" if self.since.data else "missing"}) from None


@bp.get("")
def show(site_id: UUID) -> str | tuple[str, int]:
    """Show the hours of a site; or, once others are told, what they would change."""
    if "since" not in request.args:
        return _page(site_id)
    form = Since(request.args)
    try:
        with parts().doors.reading() as db:
            site = _site(db, site_id, roster.present(db, staff_id=visitor().id))
            country = parts().country
            found = new_hours.foreseen(
                db, site_id=site.id, country=country, now=now(), **form.told
            )  # fmt: skip
    except BadInput as wrong:
        form.take(wrong.fields)
        return _page(site_id, form), 400
    return render_template("admin/new_hours.html", site=site, found=found)


@bp.post("")
def begin(site_id: UUID) -> Response | tuple[str, int]:
    """Let other hours hold from a day on, so that the worker books anew who is outside of them."""
    form = Since(request.form)

    def deed(db: Any, **told: Any) -> None:  # noqa: ANN401 - views know no SQL
        _site(db, site_id, told["staff"])
        new_hours.begin(db, site_id=site_id, country=parts().country, **form.told, **told)

    try:
        done(deed)
    except BadInput as wrong:
        form.take(wrong.fields)
        return _page(site_id, form), 400
    return redirect(url_for(".show", site_id=site_id, begun=form.since.data), code=303)


def _site(db: Any, site_id: UUID, staff: Staff) -> Site:  # noqa: ANN401
    return delegating.site(db, staff=staff, act="close_site", site_id=site_id, now=now())


def _page(site_id: UUID, form: Since | None = None) -> str:
    with parts().doors.reading() as db:
        site = _site(db, site_id, roster.present(db, staff_id=visitor().id))
        known = hours.versions(db, site_id=site.id)
    day = today(site.time_zone)
    in_force = hours.written(hours.in_force(known, day))
    return render_template(
        "admin/hours.html", site=site, known=known, today=day, form=form or Since(hours=in_force),
        begun=request.args.get("begun", type=date.fromisoformat), always=hours.ALWAYS,
    )  # fmt: skip
