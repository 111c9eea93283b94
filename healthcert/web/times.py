"""The times to choose from: for all people at once, and the second dose along with the first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
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
from healthcert.web.places import (
    MOST,
    Page,
    ask_where,
    asked,
    both,
    near,
    offered,
    source,
    where_asked,
)

LATER = "later"  # the second dose is left out for now
_OFFERED_SECOND, _WINDOW = 5, timedelta(days=14)


class When(Answers):
    """Which of the times offered; and for the second dose."""

    slot = Radios(_("Choose a time"))
    second = Radios(_("When do you want the second dose?"))


@both("/slots")
def slots() -> Page:
    """Offer the nearest free times for all of them, or go on with the one chosen."""
    where = where_asked()
    if not where.validate():
        return ask_where(where), 400
    return _choose("slot", offered(where), ".second")


@both("/second")
def second() -> Page:
    """Propose the second dose along with the first: it can be changed, or left for later."""
    first, dose = chosen("slot"), dose_asked()
    with parts().doors.reading() as db:
        place = booking.place_of(db, first[0])
        found = search.second_dose(
            db, slot_id=first[0], dose_number=dose, places=len(first), now=now(), source=source()
        )
        if found is None:
            return redirect(url_for(".who", **asked()), code=303)
        others = search.nearest_free(
            db, programme_id=place.session.programme_id, near=near(place.site), now=now(),
            limit=_OFFERED_SECOND, dose_number=dose + 1, places=len(first), site_id=place.site.id,
            product_id=place.product.id, days=(found.day, found.day + _WINDOW), source=source(),
        )  # fmt: skip
    offers = [found, *(each for each in others if each.slot_id != found.slot_id)]
    return _choose("second", offers, ".who")


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


def written(offer: FreeSlot) -> str:
    """Return an offer as an address tells it; `chosen` reads it."""
    return ".".join(slot_id.hex for slot_id in offer.slot_ids)


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


def _choose(name: str, offers: Sequence[FreeSlot], following: str) -> Page:
    """Show times to choose from, or go on with the one that was chosen."""
    going = "go" in request.args
    form = When(request.args if going else None)
    del form["second" if name == "slot" else "slot"]
    times = {written(offer): when_of(offer) for offer in offers}
    form[name].choices = options(times if name == "slot" else times | {LATER: _("Later, not now")})
    if going and form.validate():
        return redirect(url_for(following, **asked()), code=303)
    if name == "second" and not going:
        form.second.data = written(offers[0])
    hints = {written(offer): where_of(offer) for offer in offers}
    page = render_template(
        "booking/times.html", form=form, field=form[name], offers=offers, hints=hints,
        asked=asked(**{name: None}),
    )  # fmt: skip
    return (page, 400) if form.errors else page
