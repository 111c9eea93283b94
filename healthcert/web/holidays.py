"""The door of holidays: those of the country, and those declared for many sites in one act."""

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import BadInput
from healthcert.models import Holiday
from healthcert.services import holidays, keeping, roster
from healthcert.services.cells import LANGUAGES
from healthcert.services.part import Part
from healthcert.web.answers import tidy
from healthcert.web.guards import visitor
from healthcert.web.here import day_of, done, parts, today
from healthcert.web.moment import now
from healthcert.web.refusals import shown_again

bp = Blueprint("holidays", __name__, url_prefix="/admin/holidays")

_MOST = 200  # on a page


@bp.get("")
@shown_again(bp)
def every() -> str:
    """Show the holidays to come, how far the worker is with each, and how one is declared."""
    first, country = today(), parts().country
    with parts().doors.reading() as db:
        staff = roster.present(db, staff_id=visitor().id)
        reach = holidays.reach(db, staff=staff, now=now())
        theirs: dict[str, Any] = {"staff": staff, "reach": reach, "first": first}
        return render_template(
            "admin/holidays.html", bodies=holidays.bodies(db, reach=reach), regions=country.regions,
            of_country=keeping.of_country(db, country=country, **theirs),
            declared=keeping.listed(db, part=Part((), _MOST), **theirs),
        )  # fmt: skip


@bp.get("/declare")
def foresee() -> str:
    """Show what a holiday would close, before it is declared."""
    wanted = _holiday(request.args)
    with parts().doors.reading() as db:
        staff = roster.present(db, staff_id=visitor().id)
        country = parts().country
        effect = holidays.effect(db, wanted, country=country, staff=staff, now=now())
        reach = holidays.reach(db, staff=staff, now=now())
        whose = {one.id: one for one in holidays.bodies(db, reach=reach)}
    return render_template(
        "admin/holiday.html", holiday=wanted, whose=whose[wanted.organisation_id], effect=effect,
        regions=country.regions,
    )  # fmt: skip


@bp.post("/declare")
def declare() -> Response:
    """Declare a holiday: the worker closes what it is for, and books everybody anew."""
    done(holidays.declare, wanted=_holiday(request.form), country=parts().country)
    return redirect(url_for(".every", kept=1), code=303)


@bp.get("/<uuid:holiday_id>/withdraw")
def confirm(holiday_id: UUID) -> str:
    """Ask whether a holiday is to be withdrawn."""
    with parts().doors.reading() as db:
        staff = roster.present(db, staff_id=visitor().id)
        found = holidays.one(db, holiday_id=holiday_id, staff=staff, now=now())
    return render_template("admin/withdrawing.html", holiday=found)


@bp.post("/<uuid:holiday_id>/withdraw")
def withdraw(holiday_id: UUID) -> Response:
    """Withdraw a holiday: the worker opens again what was closed by it."""
    done(holidays.withdraw, holiday_id=holiday_id)
    return redirect(url_for(".every"), code=303)


def _holiday(told: Any) -> Holiday:  # noqa: ANN401 - any MultiDict
    named = {lang: tidy(told.get(f"name_{lang}")) for lang in LANGUAGES}
    organisation = told.get("organisation", type=UUID)
    if organisation is None:
        raise BadInput({"organisation": "not_a_choice"})
    return Holiday(
        organisation_id=organisation, region=told.get("region") or None, day=day_of(told, "day"),
        names={lang: name for lang, name in named.items() if name},
    )  # fmt: skip
