"""The public's way to a free time: what for, near which town, when; all of it in the address.

Nothing is written down and no session is made before somebody tells who they are.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug import Response

from healthcert.errors import NotFound
from healthcert.i18n import format_datetime, format_number, gettext
from healthcert.i18n import lazy as _
from healthcert.services import desk, search
from healthcert.services.search import FreeSlot
from healthcert.web.answers import Answers, Choice, Radios, options
from healthcert.web.here import parts
from healthcert.web.labels import DOSES, facts_of, in_words
from healthcert.web.moment import now
from healthcert.web.pages import bdi

bp = Blueprint("places", __name__, url_prefix="/book")

_OFFERED = 15
_Page = str | tuple[str, int] | Response


class Where(Answers):
    """Which vaccination, which dose, near which town."""

    programme = Radios(_("Which vaccination do you need?"))
    dose = Radios(_("Which dose is it?"), choices=options(DOSES), default="1")
    town = Choice(_("Which town is nearest to you?"))


class When(Answers):
    """Which of the times offered."""

    slot = Radios(_("Choose a time"))


@bp.get("/")
def start() -> str:
    """Ask what for and where."""
    return _ask_where(_where())


@bp.get("/slots")
def slots() -> _Page:
    """Offer the nearest free times, or go on with the one chosen."""
    where = _where()
    if not where.validate():
        return _ask_where(where), 400
    near = _town(where.town.data)
    offers = nearest(UUID(where.programme.data), near, int(where.dose.data))
    when = When(request.args if "go" in request.args else None)
    when.slot.choices = options({str(offer.slot_id): when_of(offer) for offer in offers})
    if "go" in request.args and when.validate():
        return redirect(url_for("booking.details", **asked()), code=303)
    hints = {str(offer.slot_id): where_of(offer) for offer in offers}
    page = render_template(
        "booking/slots.html", form=when, offers=offers, hints=hints, asked=asked()
    )
    return (page, 400) if when.errors else page


def nearest(
    programme_id: UUID, near: tuple[float, float], dose_number: int, limit: int = _OFFERED
) -> list[FreeSlot]:
    """Return the free times nearest to a point in degrees."""
    with parts().doors.reading() as db:
        return search.nearest_free(
            db, programme_id=programme_id, near=near, dose_number=dose_number, now=now(),
            limit=limit,
        )  # fmt: skip


def when_of(offer: FreeSlot) -> Markup:
    """Return the time of an offer on the clock of its place."""
    return bdi(format_datetime(offer.starts_at, offer.site.time_zone))


def where_of(offer: FreeSlot) -> str:
    """Return the place of an offer, how far it is, and what is to be known of it."""
    told = [
        in_words(offer.site.names),
        gettext("%(km)s km away", km=format_number(round(offer.distance_km, 1))),
        offer.product,
        *facts_of(offer.site),
    ]
    return gettext(", ").join(told)


def asked() -> dict[str, Any]:
    """Return the part of the address that goes along through the journey."""
    return {
        name: request.args[name]
        for name in ("slot", "dose", "programme", "town")
        if name in request.args
    }


def _ask_where(form: Where) -> str:
    return render_template("booking/start.html", form=form)


def _where() -> Where:
    form = Where(request.args if "town" in request.args else None)
    with parts().doors.reading() as db:
        programmes = desk.programmes(db)
    form.programme.choices = options({str(found.id): in_words(found.names) for found in programmes})
    if len(programmes) == 1 and not form.programme.data:
        form.programme.data = str(programmes[0].id)
    towns = {town.code: in_words(town.names) for town in parts().country.towns}
    form.town.choices = options({"": ""} | towns)
    return form


def _town(code: str) -> tuple[float, float]:
    for town in parts().country.towns:
        if town.code == code:
            return town.latitude, town.longitude
    raise NotFound
