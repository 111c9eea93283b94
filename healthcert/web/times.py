"""The times to choose from: for all people at once, and the second dose along with the first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from markupsafe import Markup

from healthcert.errors import NotFound
from healthcert.i18n import format_datetime, format_number, gettext
from healthcert.i18n import lazy as _
from healthcert.services import booking, search
from healthcert.services.search import FreeSlot
from healthcert.web.answers import Answers, Radios, options
from healthcert.web.here import parts
from healthcert.web.labels import DOSES, facts_of, in_words
from healthcert.web.moment import now
from healthcert.web.pages import bdi
from healthcert.web.places import MOST, Page, ask_where, both, near, offered, source, where_asked
from healthcert.web.refusals import Answer

LATER = "later"  # the second dose is left out for now
_OFFERED_SECOND, _WINDOW = 5, timedelta(days=14)
_CARRIED = (
    "source", "programme", "dose", "town", "people", "needs", "language", "hours", "since",
    "slot", "second",
)  # fmt: skip


class When(Answers):
    """Which of the times offered; and for the second dose."""

    slot = Radios(_("Choose a time"))
    second = Radios(_("When do you want the second dose?"))


@both("/slots")
def slots(wrong: Answer | None = None) -> Page:
    """Offer the nearest free times for all of them, or go on with the one chosen.

    `wrong` says why another could not be had.
    """
    where = where_asked()
    if not where.validate():
        return ask_where(where), 400
    return _choose("slot", offered(where), ".second", wrong)


@both("/second")
def second(wrong: Answer | None = None) -> Page:
    """Propose the second dose along with the first: it can be changed, or left for later."""
    first, dose = chosen("slot"), dose_asked()
    common: dict[str, Any] = {"places": len(first), "source": source(), "now": now()}
    with parts().doors.reading() as db:
        place = booking.place_of(db, first[0])
        found = search.second_dose(db, slot_id=first[0], dose_number=dose, **common)
        if found is None:
            return redirect(url_for(".who", **asked(second=LATER)), code=303)
        others = search.nearest_free(
            db, programme_id=place.session.programme_id, near=near(place.site),
            limit=_OFFERED_SECOND, dose_number=dose + 1, site_id=place.site.id,
            product_id=place.product.id, days=(found.day, found.day + _WINDOW), **common,
        )  # fmt: skip
    others = [each for each in others if each.slot_ids != found.slot_ids]
    return _choose("second", [found, *others], ".who", wrong)


def chosen(name: str) -> tuple[UUID, ...]:
    """Return the slots that were chosen as ``slot`` or ``second``, one for each person.

    Raises:
        NotFound: They are none.
    """
    try:
        return tuple(map(UUID, request.args.get(name, "").split(".")[:MOST]))
    except ValueError:
        raise NotFound from None


def dose_asked() -> int:
    """Return which dose is to be booked.

    Raises:
        NotFound: None that can be.
    """
    dose = request.args.get("dose", "1")
    if dose not in DOSES:
        raise NotFound
    return int(dose)


def asked(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what url_for takes
    """Return what the address tells of the booking, to go along through the journey."""
    told = {name: request.args.getlist(name) for name in _CARRIED if name in request.args}
    return told | changes


def to_choose(form: When, name: str, offers: Sequence[FreeSlot]) -> dict[str, str]:
    """Give a form the times to choose from; return their places by the same values."""
    del form["second" if name == "slot" else "slot"]
    form[name].choices = options({_written(each): _when(each) for each in offers})
    return {_written(each): _where(each) for each in offers}


def _choose(name: str, offers: Sequence[FreeSlot], following: str, wrong: Answer | None) -> Page:
    """Show times to choose from, or go on with the one that was chosen."""
    going = "go" in request.args and wrong is None
    form = When(request.args if going else None)
    hints = to_choose(form, name, offers)
    if name == "second":
        form.second.choices += options({LATER: _("Later, not now")})
        form.second.data = form.second.data or next(iter(hints))
    if going and form.validate():
        return redirect(url_for(following, **asked()), code=303)
    page = render_template(
        "booking/times.html", form=form, field=form[name], hints=hints, wrong=wrong,
        asked=asked(**{name: None}), action=url_for(".slots" if name == "slot" else ".second"),
    )  # fmt: skip
    return page, 400 if form.errors else 409 if wrong else 200


def _written(offer: FreeSlot) -> str:
    """Return an offer as an address tells it; `chosen` reads it."""
    return ".".join(slot_id.hex for slot_id in offer.slot_ids)


def _when(offer: FreeSlot) -> Markup:
    return bdi(format_datetime(offer.starts_at, offer.site.time_zone))


def _where(offer: FreeSlot) -> str:
    """Return the place of an offer, how far it is, and what is to be known of it."""
    km = gettext("%(km)s km away", km=format_number(round(offer.distance_km, 1)))
    told = [in_words(offer.site.names), km, offer.product, *facts_of(offer.site)]
    return gettext(", ").join(told)
