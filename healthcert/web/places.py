"""The way to a free time: what for, where, for how many; all of it stands in the address.

Two doors lead along it, the public's and the desk's: each view answers at both, and its links
stay at the one it was asked at. At the public's nothing is written down and no session is made
before somebody tells who they are.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, time, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from werkzeug import Response
from wtforms import SelectMultipleField

from healthcert.data import labels
from healthcert.errors import NotFound
from healthcert.i18n import lazy as _
from healthcert.i18n import names as language_names
from healthcert.models import Site
from healthcert.services import desk, roster, search
from healthcert.services.parties import MOST_PEOPLE
from healthcert.services.scenes import Place
from healthcert.services.search import FreeSlot, Needs
from healthcert.web.answers import Answers, Choice, Radios, needed, options
from healthcert.web.clinic import own_site
from healthcert.web.forms import DayField
from healthcert.web.here import parts, today
from healthcert.web.labels import DOSES, HOURS, WAYS, in_words
from healthcert.web.moment import now

bp = Blueprint("booking", __name__, url_prefix="/book")
counter = Blueprint("desk", __name__, url_prefix="/clinic/book")
bp.context_processor(lambda: {"at_desk": False})
counter.context_processor(lambda: {"at_desk": True})

_OFFERED, YEAR, _SOON = 15, timedelta(days=365), timedelta(hours=1, minutes=30)
_COUNTS = {str(count): str(count) for count in range(1, MOST_PEOPLE + 1)}
_NEEDS = {name: labels("site")[name] for name in ("step_free", "female_vaccinator")}
_NOON, _FIVE = time(12), time(17)
_HOURS = {"morning": (time(0), _NOON), "afternoon": (_NOON, _FIVE), "evening": (_FIVE, time.max)}
Page = str | tuple[str, int] | Response
_View = TypeVar("_View", bound=Callable[..., Any])


class Need(NamedTuple):
    """What one of them is to get: a dose of a programme, by its identifier."""

    programme: str
    dose: int


class Where(Answers):
    """Which vaccination, near which town, for how many, and what they need."""

    source = Radios(_("How do they book?"), choices=options(WAYS), default="phone")
    programme = Radios(_("Which vaccination do you need?"))
    dose = Radios(_("Which dose is it?"), choices=options(DOSES), default="1")
    town = Choice(_("Which town is nearest to you?"), [needed])
    people = Choice(_("How many people come?"), choices=options(_COUNTS), default="1")
    needs = SelectMultipleField(_("What is needed at the place?"), choices=options(_NEEDS))
    language = Choice(_("Which language is to be spoken there?"), default="")
    hours = Choice(_("At what time of the day?"), choices=options(HOURS), default="")
    since = DayField(_("From which day on?"), optional=True)


def both(rule: str, *methods: str) -> Callable[[_View], _View]:
    """Register a view at the public's door and at the desk's, under its own name."""

    def register(view: _View) -> _View:
        for door in (bp, counter):
            door.add_url_rule(rule, view_func=view, methods=methods or ("GET",))
        return view

    return register


def at_desk() -> bool:
    """Say whether somebody books for others who stand before them or are on the telephone."""
    return request.blueprint == counter.name


def source() -> str:
    """Return the way this booking has come, one of `models.appointment.SOURCES`."""
    told = request.args.get("source", "")
    return (told if told in WAYS else "phone") if at_desk() else "web"


@both("/")
def start() -> str:
    """Ask what for, where and for how many."""
    return ask_where(where_asked())


def ask_where(form: Where) -> str:
    """Show the question with what was typed."""
    return render_template("booking/start.html", form=form)


def where_asked() -> Where:
    """Return the question with what the address answers."""
    form = Where(request.args or None)
    give_choices(form)
    form.language.choices = options({"": _("Any"), **language_names(parts().settings.languages)})
    del form["town" if at_desk() else "source"]
    return form


def give_choices(form: Answers) -> None:
    """Give a form the programmes and the towns to choose from; the only programme is chosen."""
    with parts().doors.alone() as db:
        told = {str(one.id): in_words(one.names) for one in desk.programmes(db)}
    form["programme"].choices = options(told)
    if len(told) == 1 and not form["programme"].data:
        [form["programme"].data] = told
    towns = {town.code: in_words(town.names) for town in parts().country.towns}
    form["town"].choices = options({"": ""} | towns)


def offered(
    where: Where, *, need: Need, people: int, beside: Place | None, taken: Sequence[UUID]
) -> list[FreeSlot]:
    """Return free times for so many at once, the nearest, or `beside` what others have `taken`."""
    since, wanted = where.since.data, where.needs.data
    more: dict[str, Any] = {"days": year_from(since)} if since else {}
    more |= _at_own_site() if at_desk() else {"near": town_at(where.town.data)}
    more["needs"] = Needs(
        step_free="step_free" in wanted, female_vaccinator="female_vaccinator" in wanted,
        language=where.language.data or None, hours=_HOURS.get(where.hours.data),
    )  # fmt: skip
    with parts().doors.reading() as db:
        for ways in _beside(beside, more) if beside else [more]:
            found = search.nearest_free(
                db, programme_id=UUID(need.programme), dose_number=need.dose, places=people,
                source=source(), limit=_OFFERED, now=now(), **ways,
            )  # fmt: skip
            found = [offer for offer in found if _leaves(offer, taken)]
            if found:
                return found
    return []


def _leaves(offer: FreeSlot, taken: Sequence[UUID]) -> bool:
    """Say whether an offer leaves those places; one of several slots does not say which it has."""
    slots, others = {*offer.slot_ids}, sum(one in offer.slot_ids for one in taken)
    return not others or (len(slots) == 1 and offer.places >= len(offer.slot_ids) + others)


def _beside(place: Place, more: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give what is looked for in turn: soon after at that place, later there, then around."""
    there = more | {"near": near(place.site), "site_id": place.site.id}
    day, begins = place.session.day, place.slot.starts_at
    begins = begins.astimezone(ZoneInfo(place.site.time_zone))
    hours = begins.time(), (begins + _SOON).time()
    _first, last = more.get("days", (day, day + YEAR))
    yield there | {"days": (day, day), "needs": more["needs"]._replace(hours=hours)}
    yield there | {"days": (day, last)}
    yield more | {"near": near(place.site), "days": (day, last)}


def year_from(since: date) -> tuple[date, date]:
    """Return the first and last of the days to look at: a year on, from today where it is past."""
    return since, min(max(since, now().date()), date.max - YEAR) + YEAR


def near(site: Site) -> tuple[float, float]:
    """Return where a site is, in degrees."""
    return site.latitude, site.longitude


def _at_own_site() -> dict[str, Any]:
    """Return where a desk looks: at its own site; and today only for who stands there."""
    with parts().doors.reading() as db:
        site = roster.site(db, site_id=own_site())
    day = today(site.time_zone)
    days = {"days": (day, day)} if source() == "walk_in" else {}
    return {"near": near(site), "site_id": site.id, **days}


def town_at(code: str) -> tuple[float, float]:
    """Return where one of the country's towns is, in degrees.

    Raises:
        NotFound: None has this code.
    """
    for town in parts().country.towns:
        if town.code == code:
            return town.latitude, town.longitude
    raise NotFound
