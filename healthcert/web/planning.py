"""The door of whoever plans a site: sessions made ahead, made larger, and closed."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput, NotFound
from healthcert.models import SessionTemplate, Site, Staff
from healthcert.services import delegating, knowledge, planning, roster, sessions
from healthcert.web.guards import visitor
from healthcert.web.here import once, parts, today
from healthcert.web.moment import now
from healthcert.web.refusals import shown_again

bp = Blueprint("planning", __name__, url_prefix="/admin/sessions")

_MOST = 200  # sessions on a page
_NUMBERS = ("minutes", "capacity", "kept_phone", "kept_walk_in", "kept_second_dose")


@bp.get("")
@shown_again(bp)
def every() -> str:
    """Show what is planned from today or a later day on, and who could not be placed anew."""
    first = max(today(), request.args.get("since", today(), type=date.fromisoformat))
    with parts().doors.reading() as db:
        _staff, sites = _reach(db, "plan_sessions")
        ids = [site.id for site in sites]
        return render_template(
            "admin/sessions.html", sites=sites, products=knowledge.offered(db), most=_MOST,
            sessions=planning.listed(db, site_ids=ids, first=first, limit=_MOST),
            until=request.args.get("until", type=date.fromisoformat),
        )  # fmt: skip


@bp.get("/preview")
def preview() -> str:
    """Show which sessions a template would make, before it is kept."""
    with parts().doors.reading() as db:
        wanted, _staff, site = _template(db, request.args)
        sessions.refuse_wrong(db, wanted)
        found = sessions.foreseen(db, wanted, country=parts().country, until=wanted.last_day)
    return render_template("admin/preview.html", site=site, found=found, typed=request.args)


@bp.post("")
def make() -> Response:
    """Keep a template, and make its sessions as far ahead as the country has them made."""
    until = sessions.horizon(parts().country, today())
    with parts().doors.transaction() as db:
        once(db)
        wanted, staff, _site = _template(db, request.form)
        template_id = sessions.begin(db, wanted, staff=staff, now=now()).id
        sessions.make(db, template_id=template_id, country=parts().country, until=until, now=now())
    return redirect(url_for(".every", until=until.isoformat()), code=303)


@bp.post("/size")
def resize() -> Response:
    """Give each time of a session so many places."""
    session_id = request.form.get("session", UUID(int=0), type=UUID)
    asked = [name for name in _NUMBERS[2:] if request.form.get(name)]
    kept = {name.removeprefix("kept_"): request.form.get(name, -1, type=int) for name in asked}
    with parts().doors.transaction() as db:
        staff, sites = _reach(db, "plan_sessions")
        planning.resize(
            db, session_id=session_id, site_ids=[site.id for site in sites],
            capacity=request.form.get("capacity", 0, type=int), kept=kept, staff=staff, now=now(),
        )  # fmt: skip
    return redirect(url_for(".every"), code=303)


@bp.get("/close")
def foresee() -> str:
    """Show how many people are booked on a day at a site, before it is closed."""
    with parts().doors.reading() as db:
        site, day = _at(db, "close_site", request.args)[1], _day(request.args, "day")
        if day < today(site.time_zone):
            raise BadInput({"day": "too_long_ago"})
        rows = planning.listed(db, site_ids=[site.id], first=day, limit=_MOST)
    booked = sum(row.booked for row in rows if row[0].day == day)
    return render_template("admin/closing.html", site=site, day=day, booked=booked)


@bp.post("/close")
def close() -> Response:
    """Close a site for a day; the worker books everybody anew."""
    with parts().doors.transaction() as db:
        (staff, site), day = _at(db, "close_site", request.form), _day(request.form, "day")
        planning.close_day(db, site_id=site.id, day=day, staff=staff, now=now())
    return redirect(url_for(".every"), code=303)


@bp.get("/cancel")
def foresee_one() -> str:
    """Show how many people are booked in a session, or in all of its plan from it on."""
    with parts().doors.reading() as db:
        told = _meant(_reach(db, "close_site")[1], request.args)
        ids, here = [one.id for one in planning.meant(db, **told)], told["site_ids"]
        rows = planning.listed(db, site_ids=here, first=date.min, limit=_MOST, session_ids=ids)
    return render_template("admin/cancelling.html", rows=rows)


@bp.post("/cancel")
def cancel() -> Response:
    """Cancel it, or end its plan; the worker books everybody anew."""
    with parts().doors.transaction() as db:
        once(db)
        staff, sites = _reach(db, "close_site")
        planning.cancel(db, staff=staff, **_meant(sites, request.form))
    return redirect(url_for(".every"), code=303)


def _meant(sites: Sequence[Site], told: Any) -> dict[str, Any]:  # noqa: ANN401
    which = {"session_id": told.get("session", UUID(int=0), type=UUID), "later": "later" in told}
    return {"site_ids": [site.id for site in sites], "now": now(), **which}


def _reach(db: Any, act: str) -> tuple[Staff, Sequence[Site]]:  # noqa: ANN401 - views know no SQL
    staff = roster.present(db, staff_id=visitor().id)
    return staff, delegating.sites(db, staff=staff, act=act, now=now())


def _at(db: Any, act: str, told: Any) -> tuple[Staff, Site]:  # noqa: ANN401 - any MultiDict
    staff, sites = _reach(db, act)
    found = [site for site in sites if str(site.id) == told.get("site")]
    if not found:
        raise NotFound
    return staff, found[0]


def _day(told: Any, name: str) -> date:  # noqa: ANN401
    day: date | None = told.get(name, type=date.fromisoformat)
    if day is None:
        raise BadInput({name: "missing"})
    return day


def _template(db: Any, told: Any) -> tuple[SessionTemplate, Staff, Site]:  # noqa: ANN401
    staff, site = _at(db, "plan_sessions", told)
    product = told.get("product", type=UUID)
    programmes = [one.id for one, given in knowledge.offered(db) if given.id == product]
    template = SessionTemplate(
        site_id=site.id, product_id=product, programme_id=next(iter(programmes), None),
        first_day=_day(told, "first_day"), last_day=_day(told, "last_day"),
        weekdays=sum(1 << day for day in range(7) if str(day + 1) in told.getlist("weekdays")),
        **{name: told.get(name, -1, type=int) for name in _NUMBERS},
    )  # fmt: skip
    return template, staff, site
