"""The times to choose from: for all who get the same at once, and the next dose along with it.

Who gets something else than the first is asked for next, beside the time just chosen.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug import Response
from werkzeug.datastructures import MultiDict

from healthcert.i18n import format_datetime, format_number, format_time, gettext
from healthcert.i18n import lazy as _
from healthcert.services import knowledge, scenes, search
from healthcert.services.search import FreeSlot
from healthcert.web import labels
from healthcert.web.answers import Answers, Radios, options
from healthcert.web.draft import LATER, asked, groups, needs, wanted
from healthcert.web.forms import DayField
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.pages import bdi
from healthcert.web.places import Page, ask_where, both, near, offered, source, where_asked
from healthcert.web.refusals import Answer

_OFFERED_SECOND, _WINDOW = 5, timedelta(days=14)


class When(Answers):
    """Which of the times offered; and for the dose after it."""

    slot = Radios(_("Choose a time"))
    second = Radios(_("Choose a time"))  # its question names the dose
    since = DayField(_("From which day on?"), optional=True)


@both("/slots")
def slots(wrong: Answer | None = None, turn: int | None = None) -> Page:
    """Offer the nearest free times for all of a group, or go on with the one chosen.

    `wrong` says why another could not be had, by the group whose `turn` it was.
    """
    where, programmes = where_asked(), request.args.getlist("programme")
    words = {choice.value: str(choice.label) for choice in where.programme.choices}
    if not where.validate() or not programmes or not {*programmes} <= words.keys():
        return ask_where(where), 400
    names = ("dose", "programme")[: 2 if len(words) > 1 else 1]
    answers, people = {len(request.args.getlist(name)) for name in names}, int(where.people.data)
    if people > 1 and ("each" in request.args or answers != {people}):
        told = asked(slot=None, second=None, **dict.fromkeys(names))
        return render_template("booking/each.html", form=where, asked=told, needs=needs())
    turn = _turn("slot") if turn is None else turn
    group, beside = groups()[turn], None
    taken = [one.slot_id for one in wanted(whole=False) if one.number not in group] if turn else []
    need = needs()[group[0]]
    if taken:
        with parts().doors.reading() as db:
            beside = scenes.place_of(db, taken[0])
    found = offered(where, need=need, people=len(group), beside=beside, taken=taken)
    return _choose("slot", found, turn, words[need.programme], wrong)


@both("/second")
def second(wrong: Answer | None = None, turn: int | None = None) -> Page:
    """Propose the next dose along with one: it can be changed, or left for later."""
    turn = _turn("second") if turn is None else turn
    group = groups()[turn]
    dose = needs()[group[0]].dose
    first = next(one.slot_id for one in wanted() if one.number == group[0])
    common: dict[str, Any] = {"places": len(group), "source": source(), "now": now()}
    with parts().doors.reading() as db:
        place = scenes.place_of(db, first)
        found = search.second_dose(db, slot_id=first, dose_number=dose, **common)
        if found is None:
            return _next("second", turn, LATER)
        _least, last = knowledge.rule_of(db, place.product.id).series.days_after(place.session.day)
        others = search.nearest_free(
            db, programme_id=place.session.programme_id, near=near(place.site),
            limit=_OFFERED_SECOND, dose_number=dose + 1, site_id=place.site.id,
            product_id=place.product.id, days=(found.day, min(found.day + _WINDOW, last)), **common,
        )  # fmt: skip
    others = [each for each in others if each.slot_ids != found.slot_ids]
    return _choose("second", [found, *others], turn, labels.in_words(place.programme.names), wrong)


def again(name: str, turn: int = 0) -> str:
    """Return the address at which a group chooses its ``slot`` or ``second`` anew."""
    there = ".slots" if name == "slot" else ".second"
    return url_for(there, **asked(**{"second": None, name: request.args.getlist(name)[:turn]}))


def to_choose(form: When, name: str, offers: Sequence[FreeSlot]) -> dict[str, str]:
    """Give a form the times to choose from; return their places by the same values."""
    del form["second" if name == "slot" else "slot"]
    form[name].choices = options({_written(each): _when(each) for each in offers})
    first = {each.site.id: each for each in reversed(offers)}  # tells of the place, for all there
    return {_written(each): _where(each, is_first=first[each.site.id] is each) for each in offers}


def _turn(name: str) -> int:
    """Return which group is asked: the one that answers, or the first that has not."""
    told = len(request.args.getlist(name))
    turn = request.args.get("go", told + 1, type=int) - 1
    return turn if 0 <= turn <= told and turn < len(groups()) else 0


def _next(name: str, turn: int, value: str) -> Response:
    """Go on to the next group, the doses booked along, or the people."""
    told = [*request.args.getlist(name)[:turn], value]
    here, following = (".slots", ".second") if name == "slot" else (".second", ".who")
    there = here if len(told) < len(groups()) else following
    return redirect(url_for(there, **asked(**{"second": None, name: told})), code=303)


def _choose(
    name: str, offers: Sequence[FreeSlot], turn: int, about: str, wrong: Answer | None
) -> Page:
    """Show times to choose from, or go on with the one that was chosen."""
    told = request.args.getlist(name)
    going = "go" in request.args and wrong is None
    form = When(MultiDict({"go": "1", name: told[turn : turn + 1]}) if going else None)
    hints = to_choose(form, name, offers)
    need = needs()[groups()[turn][0]]
    dose = need.dose + (name == "second")
    if name == "second":
        form.second.label.text = gettext("%(dose)s: when do you want it?", dose=labels.dose(dose))
        form.second.choices += options({LATER: _("Later, not now")})
        form.second.data = form.second.data or next(iter(hints))
    if going and form.validate():
        return _next(name, turn, form[name].data)
    before = again(name, turn - 1) if turn else again("slot", len(groups()) - 1)
    if name == "slot" and not turn:
        start = url_for(".start", **asked())
        before = url_for(".slots", each="", **asked()) if len(needs()) > 1 else start
    page = render_template(
        "booking/times.html", form=form, field=form[name], hints=hints, wrong=wrong, about=about,
        asked=asked(**{"second": None, name: told[:turn]}), turn=turn, groups=groups(),
        need=need, dose=dose, before=before,
    )  # fmt: skip
    return page, 400 if form.errors else 409 if wrong else 200


def _written(offer: FreeSlot) -> str:
    """Return an offer as an address tells it; `wanted` reads it."""
    return ".".join(slot_id.hex for slot_id in offer.slot_ids)


def _when(offer: FreeSlot) -> Markup:
    zone = offer.site.time_zone
    begins, ends = format_datetime(offer.starts_at, zone), format_time(offer.ends_at, zone)
    return bdi(f"{begins} \N{EN DASH} {ends}" if len({*offer.slot_ids}) > 1 else begins)


def _where(offer: FreeSlot, *, is_first: bool) -> str:
    """Return the place of an offer, how far it is, and of the first there what else is known."""
    km = round(offer.distance_km, 1)
    far = [gettext("%(km)s km away", km=format_number(km))] if km else []
    facts = labels.facts_of(offer.site) if is_first else []
    told = [labels.in_words(offer.site.names), *far, offer.product, *facts]
    return gettext(", ").join(told)
