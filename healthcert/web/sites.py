"""The door of sites: those in one's reach, made and changed, with their hours."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response
from wtforms import BooleanField, SelectMultipleField

from healthcert.data import labels
from healthcert.errors import BadInput
from healthcert.i18n import names as language_names
from healthcert.models import Organisation
from healthcert.models.place import FACILITIES as OF_A_SITE
from healthcert.services import delegating, roster, sites
from healthcert.services.part import Part
from healthcert.web.answers import Answers, Choice, Line, one_of, options
from healthcert.web.guards import visitor
from healthcert.web.here import done, parts, today
from healthcert.web.labels import FACILITIES, in_words
from healthcert.web.moment import now

bp = Blueprint("sites", __name__, url_prefix="/admin/sites")

_SHOWN = 50  # on a page
_SEVERAL, _TICKED = ("facilities", "languages"), ("step_free", "female_vaccinator")
_FIELDS = {
    "organisation": Choice, "region": Choice, **dict.fromkeys(_SEVERAL, SelectMultipleField),
    **dict.fromkeys(_TICKED, BooleanField),
}  # fmt: skip
# A field for each heading of a table of sites.
About: type[Answers] = type(
    "About", (Answers,),
    {name: _FIELDS.get(name, Line)(words) for name, words in labels("site").items()},
)  # fmt: skip


@bp.get("")
def every() -> str:
    """Show the sites in one's reach, by code."""
    after = tuple(request.args.getlist("after")[:1])
    with parts().doors.reading() as db:
        found = delegating.sites_of(db, _reach(db), part=Part(after, _SHOWN + 1))
    return render_template("admin/sites.html", found=found, after=after, shown=_SHOWN)


@bp.get("/new")
@bp.get("/<uuid:site_id>")
def show(site_id: UUID | None = None) -> str:
    """Show a site, its hours and the days on which it is closed; or ask for a new one's."""
    return _page(site_id)


@bp.post("/new")
@bp.post("/<uuid:site_id>")
def keep(site_id: UUID | None = None) -> Response | tuple[str, int]:
    """Make a site, or change what is told of one."""
    form = _form(site_id, request.form)
    told = {field.name: _cell(field.data) for field in form}
    known = {"vault": parts().vault, "country": parts().country}
    try:
        site = done(sites.keep, site_id=site_id, told=told, **known)
    except BadInput as wrong:
        form.take(wrong.fields)
        return _page(site_id, form), 400
    return redirect(url_for(".show", site_id=site.id, saved=1), code=303)


def _cell(data: Any) -> str:  # noqa: ANN401 - of a field of any kind
    if isinstance(data, bool):
        return "yes" if data else "no"
    return data if isinstance(data, str) else " ".join(data or ())


def _reach(db: Any) -> Any:  # noqa: ANN401 - views know no SQL
    staff = roster.present(db, staff_id=visitor().id)
    return delegating.within(db, staff=staff, act="keep_sites", now=now())


def _form(site_id: UUID | None, *typed: Any, **known: Any) -> Answers:  # noqa: ANN401
    """Return the questions: names in the languages that are enabled; of a new site alone, more."""
    form = About(*typed, **known)
    off = {"fr", "ar"} - {*parts().settings.languages}
    for name in [f"{told}_{lang}" for told in ("name", "address") for lang in off]:
        del form[name]
    if site_id:
        del form["organisation"]
        del form["hours"]  # others begin on a day, and move people
    return form


def _page(site_id: UUID | None, form: Answers | None = None) -> str:
    site, country, first = None, parts().country, today()
    known: dict[str, Any] = {"time_zone": country.time_zone}
    bodies: Sequence[Organisation] = ()
    with parts().doors.reading() as db:
        if site_id:
            site, known = sites.one(db, reach=_reach(db), site_id=site_id, now=now())
        else:
            staff = roster.present(db, staff_id=visitor().id)
            bodies, _sites, _handed = delegating.overview(db, staff=staff, now=now())
    several = {name: known.get(name, "").split() for name in _SEVERAL}
    ticked = {name: known.get(name) == "yes" for name in _TICKED}
    form = form or _form(site_id, **known | several | ticked)
    told = {"": ""} | {code: in_words(names) for code, names in country.regions.items()}
    form["region"].choices = options(told)
    form["facilities"].choices = options(
        {name: str(FACILITIES[name]).capitalize() for name in OF_A_SITE}
    )
    spoken = [*country.languages, *parts().settings.languages, *several["languages"]]
    form["languages"].choices = options(language_names([*dict.fromkeys(spoken)]))
    if not site_id:
        whose = {one.code: in_words(one.names) for one in bodies}
        form["organisation"].choices = one_of(whose)
    closed = map(date.fromisoformat, known.get("closed_on", "").split())
    return render_template(
        "admin/site.html", form=form, site=site, hours=known.get("hours"),
        days=[day for day in closed if day >= first],
        holidays=sorted(day for day in country.holidays if day >= first),
    )  # fmt: skip
