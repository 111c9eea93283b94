"""The door of whoever plans a site: sessions made ahead, made larger, and closed."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput, NotFound
from healthcert.models import SessionTemplate, Site, Staff
from healthcert.services import (
    cancelling,
    delegating,
    hours,
    knowledge,
    planning,
    resting,
    roster,
    sessions,
)
from healthcert.web.guards import visitor
from healthcert.web.here import day_of, once, parts, row_of, today
from healthcert.web.moment import now
from healthcert.web.refusals import shown_again

bp = Blueprint("planning", __name__, url_prefix="/admin/sessions")

_MOST = 200  # sessions on a page, and plans
_NUMBERS = ("minutes", "capacity", "kept_phone", "kept_walk_in", "kept_second_dose", "kept_waiting")


class _Group(NamedTuple):
    """Sessions of a day, or of one site's week, and how full those are that take place."""

    rows: list[Any]
    first: date
    last: date
    booked: int
    places: int


@bp.get("")
@shown_again(bp)
def every() -> str:
    """Show what is planned from a day on, and who lost a place; or which plans go on."""
    first = max(today(), request.args.get("first", today(), type=date.fromisoformat))
    plans = "plan" in request.values
    look = cancelling.running if plans else planning.listed
    with parts().doors.reading() as db:
        sites = _reach(db, "plan_sessions")[1]
        at = request.args.get("at", type=UUID)
        ids = [at] if at in sites else [*sites]
        rows, by_week = look(db, site_ids=ids, first=first, limit=_MOST), len(ids) == 1
        return render_template(
            "admin/plans.html" if plans else "admin/sessions.html", sites=sites.values(),
            products=knowledge.offered(db), rows=rows, most=_MOST,
            groups=[] if plans else _grouped(rows, by_week=by_week), by_week=by_week,
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
    session_id = row_of(request.form, "session")
    asked = [name for name in _NUMBERS[2:] if request.form.get(name)]
    kept = {name.removeprefix("kept_"): request.form.get(name, -1, type=int) for name in asked}
    with parts().doors.transaction() as db:
        staff, sites = _reach(db, "plan_sessions")
        planning.resize(
            db, session_id=session_id, site_ids=[*sites], kept=kept, staff=staff, now=now(),
            capacity=request.form.get("capacity", 0, type=int),
        )  # fmt: skip
    return redirect(url_for(".every", done="resized"), code=303)


@bp.get("/close")
def foresee() -> str:
    """Show how many people are booked on a day at a site, before it is closed; or that it is."""
    with parts().doors.reading() as db:
        site, day = _at(db, "close_site", request.args)[1], day_of(request.args, "day")
        if day < today(site.time_zone):
            raise BadInput({"day": "too_long_ago"})
        closed, declared = day in hours.closed_days(db, site.id), resting.at(db, site, day)
        rows = planning.listed(db, site_ids=[site.id], first=day, limit=_MOST)
    there = [row for row in rows if row[0].day == day and row[0].state != "cancelled"]
    return render_template(
        "admin/closing.html", site=site, day=day, closed=closed, rows=there, declared=declared
    )


@bp.post("/close")
def close() -> Response:
    """Close a site for a day, so that the worker books everybody anew; or open it again."""
    opens: Callable[..., object] = partial(cancelling.open_day, country=parts().country)
    deed = opens if "open" in request.form else cancelling.close_day
    with parts().doors.transaction() as db:
        (staff, site), day = _at(db, "close_site", request.form), day_of(request.form, "day")
        deed(db, site_id=site.id, day=day, staff=staff, now=now())
    told = "opened" if "open" in request.form else "cancelled"
    return redirect(url_for(".every", first=day, done=told), code=303)


@bp.get("/cancel")
def foresee_one() -> str:
    """Show how many people are booked in a session, before it is cancelled."""
    its = [row_of(request.args, "session")]
    with parts().doors.reading() as db:
        here = [*_reach(db, "close_site")[1]]
        rows = planning.listed(db, site_ids=here, first=date.min, limit=1, session_ids=its)
    if not rows:
        raise NotFound
    return render_template("admin/cancelling.html", rows=rows, about=rows[0], day=rows[0][0].day)


@bp.post("/cancel")
def cancel() -> Response:
    """Cancel a session; the worker books everybody anew."""
    return _end(cancelling.cancel, session_id=request.form.get("session", type=UUID))


@bp.get("/end")
def foresee_end() -> str:
    """Show how many people are booked in a plan from a day on, before it ends."""
    plan, since = request.args.get("plan", UUID(int=0), type=UUID), day_of(request.args, "since")
    with parts().doors.reading() as db:
        here = [*_reach(db, "close_site")[1]]
        about, its = cancelling.ending(db, template_id=plan, site_ids=here, since=since, now=now())
        rows = planning.listed(db, site_ids=here, first=since, limit=len(its), session_ids=its)
    return render_template("admin/cancelling.html", rows=rows, about=about, day=since, plan=plan)


@bp.post("/end")
def end() -> Response:
    """End a plan from a day on; the worker books everybody anew."""
    plan, since = request.form.get("plan", type=UUID), day_of(request.form, "since")
    return _end(cancelling.end, template_id=plan, since=since)


def _grouped(rows: Iterable[Any], *, by_week: bool) -> list[_Group]:
    def begins(row: Any) -> date:  # noqa: ANN401 - a row
        day: date = row[0].day
        return day - timedelta(days=day.weekday() if by_week else 0)

    found = []
    for _begins, group in groupby(rows, key=begins):
        there = [*group]
        held = [row for row in there if row[0].state != "cancelled"]
        counts = (sum(getattr(row, name) for row in held) for name in ("booked", "places"))
        found.append(_Group(there, there[0][0].day, there[-1][0].day, *counts))
    return found


def _end(deed: Callable[..., None], **told: Any) -> Response:  # noqa: ANN401
    with parts().doors.transaction() as db:
        once(db)
        staff, sites = _reach(db, "close_site")
        deed(db, site_ids=[*sites], staff=staff, now=now(), **told)
    return redirect(url_for(".every", done="cancelled"), code=303)


def _reach(db: Any, act: str) -> tuple[Staff, dict[UUID, Site]]:  # noqa: ANN401 - views know no SQL
    staff = roster.present(db, staff_id=visitor().id)
    found = delegating.sites(db, staff=staff, act=act, now=now())
    return staff, {site.id: site for site in found}


def _at(db: Any, act: str, told: Any) -> tuple[Staff, Site]:  # noqa: ANN401 - any MultiDict
    staff, site_id = roster.present(db, staff_id=visitor().id), row_of(told, "site")
    return staff, delegating.site(db, staff=staff, act=act, site_id=site_id, now=now())


def _template(db: Any, told: Any) -> tuple[SessionTemplate, Staff, Site]:  # noqa: ANN401
    staff, site = _at(db, "plan_sessions", told)
    product = row_of(told, "product")
    programmes = [one.id for one, given in knowledge.offered(db) if given.id == product]
    template = SessionTemplate(
        site_id=site.id, product_id=product, programme_id=next(iter(programmes), None),
        first_day=day_of(told, "first_day"), last_day=day_of(told, "last_day"), recorded_at=now(),
        weekdays=sum(1 << day for day in range(7) if str(day + 1) in told.getlist("weekdays")),
        **{name: told.get(name, -1, type=int) for name in _NUMBERS},
    )  # fmt: skip
    return template, staff, site
