"""The public's door to an appointment: place, time, details, check, done.

Which time and which dose stand in the address; what a person types of themselves stands in
their session until it is booked, so that a full slot or a wrong field loses nothing.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from markupsafe import Markup
from werkzeug import Response

from healthcert.errors import BadInput, NotFound, SlotFull, TimesOverlap
from healthcert.i18n import format_datetime, format_number, gettext, language
from healthcert.i18n import lazy as _
from healthcert.i18n import names as language_names
from healthcert.models.person import SEXES
from healthcert.services import booking, desk, search
from healthcert.services.booking import Place
from healthcert.services.people import Details, IdentityDetails, tidied
from healthcert.web.answers import (
    Answers,
    BirthField,
    Choice,
    Line,
    Radios,
    kept,
    needed,
    options,
    recalled,
)
from healthcert.web.errors import answer_to
from healthcert.web.here import parts
from healthcert.web.labels import DOSES, IDENTITIES, SEX, in_words, machine_name
from healthcert.web.moment import now
from healthcert.web.pages import bdi

bp = Blueprint("booking", __name__, url_prefix="/book")

_OFFERED, _NEXT_BEST = 15, 6
_Page = str | tuple[str, int] | Response


class Where(Answers):
    """Which vaccination, which dose, near which town."""

    programme = Radios(_("Which vaccination do you need?"))
    dose = Radios(_("Which dose is it?"), choices=options(DOSES), default="1")
    town = Choice(_("Which town is nearest to you?"))


class When(Answers):
    """Which of the times offered."""

    slot = Radios(_("Choose a time"))


class About(Answers):
    """Who is to be vaccinated."""

    family = Line(_("Family name"))
    given = Line(_("Given names"))
    family_latin = Line(_("Family name in Latin letters"))
    given_latin = Line(_("Given names in Latin letters"))
    birth_date = BirthField(_("Date of birth"), [needed])
    sex = Radios(_("Sex"), choices=options({sex: SEX[sex] for sex in SEXES}), default="unknown")
    identity_kind = Choice(_("Document"), choices=options(IDENTITIES), default="none")
    identity_value = Line(_("Number of the document"))
    phone = Line(_("Phone number"))
    mail = Line(_("Mail address"))
    language = Choice(_("Language for messages"))


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
    offers = _offers(UUID(where.programme.data), where.town.data, _OFFERED)
    when = When(request.args if "go" in request.args else None)
    when.slot.choices = options({str(offer.slot_id): when_of(offer) for offer in offers})
    if "go" in request.args and when.validate():
        return redirect(url_for(".details", **_asked()), code=303)
    hints = {str(offer.slot_id): where_of(offer) for offer in offers}
    page = render_template(
        "booking/slots.html", form=when, offers=offers, hints=hints, asked=_asked()
    )
    return (page, 400) if when.errors else page


@bp.get("/details")
def details() -> str:
    """Ask who is to be vaccinated."""
    draft = session.get("details")
    return _ask_details(_about(recalled(draft) if draft else None))


@bp.post("/details")
def keep_details() -> _Page:
    """Keep what was typed, and go on where nothing is wrong with it."""
    form = _about(request.form)
    session["details"] = kept(form, request.form)
    if form.validate() and _accepted(form):
        return redirect(url_for(".check", **_asked()), code=303)
    return _ask_details(form), 400


@bp.get("/check")
def check() -> _Page:
    """Show everything once more before it is booked."""
    draft = session.get("details")
    if draft is None:
        return redirect(url_for(".details", **_asked()), code=303)
    return render_template(
        "booking/check.html", place=_place(), rows=_told(_about(recalled(draft))), asked=_asked()
    )


@bp.post("/check")
def book() -> _Page:
    """Take the place; where it has just been taken by others, offer the next best."""
    draft = session.get("details")
    if draft is None:
        return redirect(url_for(".done" if "booked" in session else ".details", **_asked()), 303)
    form = _about(recalled(draft))
    try:
        made = parts().doors.run(
            lambda db: booking.book(
                db,
                vault=parts().vault,
                slot_id=_slot_id(),
                dose_number=_dose(),
                details=_details(form),
                source="web",
                now=now(),
            )
        )
    except BadInput as wrong:
        form.take(wrong.fields)
        return _ask_details(form), 400
    except (SlotFull, TimesOverlap) as refusal:
        return _offer_others(refusal), 409
    session["booked"] = {"reference": made.reference, "slot": str(made.slot_id)}
    del session["details"]
    return redirect(url_for(".done"), code=303)


@bp.get("/done")
def done() -> _Page:
    """Show the reference, and what to do with it."""
    booked = session.get("booked")
    if booked is None:
        return redirect(url_for(".start"), code=303)
    with parts().doors.reading() as db:
        place = booking.place_of(db, UUID(booked["slot"]), states=None)
    return render_template("booking/done.html", place=place, reference=booked["reference"])


def _ask_where(form: Where) -> str:
    return render_template("booking/start.html", form=form)


def _ask_details(form: About) -> str:
    return render_template("booking/details.html", form=form, place=_place(), asked=_asked())


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


def _about(typed: Any) -> About:  # noqa: ANN401 - a MultiDict of any kind
    form = About(typed, language=language())
    form.language.choices = options(language_names(parts().settings.languages))
    return form


def _accepted(form: About) -> bool:
    try:
        tidied(_details(form), today=now().date())
    except BadInput as wrong:
        form.take(wrong.fields)
        return False
    return True


def _details(form: About) -> Details:
    told = form.data
    identity = IdentityDetails(
        told.pop("identity_kind"), parts().settings.country, told.pop("identity_value")
    )
    return Details(identity=identity, **told)


def _told(form: About) -> list[tuple[object, object]]:
    """Return what was told, in words, names also as the certificate will spell them."""
    told = _details(form)
    return [
        (_("Name"), " ".join(filter(None, (told.given, told.family)))),
        (_("Name on the certificate"), machine_name(told)),
        (_("Date of birth"), told.birth_date),
        (_("Sex"), SEX[told.sex]),
        (_("Document"), " ".join((str(IDENTITIES[told.identity.kind]), told.identity.value))),
        (_("Contact"), ", ".join(filter(None, (told.phone, told.mail)))),
    ]


def _offers(programme_id: UUID, town_code: str, limit: int) -> list[search.FreeSlot]:
    towns = parts().country.towns
    town = next((town for town in towns if town.code == town_code), None)
    if town is None:
        raise NotFound
    with parts().doors.reading() as db:
        return search.nearest_free(
            db,
            programme_id=programme_id,
            near=(town.latitude, town.longitude),
            now=now(),
            limit=limit,
        )


def _offer_others(refusal: SlotFull | TimesOverlap) -> str:
    place = _place()
    with parts().doors.reading() as db:
        others = search.nearest_free(
            db,
            programme_id=place.session.programme_id,
            near=(place.site.latitude, place.site.longitude),
            now=now(),
            limit=_NEXT_BEST,
        )
    offers = [
        (
            url_for(".check", **{**_asked(), "slot": str(offer.slot_id)}),
            when_of(offer),
            where_of(offer),
        )
        for offer in others
        if offer.slot_id != place.slot.id
    ]
    return render_template("booking/taken.html", answer=answer_to(type(refusal)), offers=offers)


def when_of(offer: search.FreeSlot) -> Markup:
    """Return the time of an offer on the clock of its place."""
    return bdi(format_datetime(offer.starts_at, offer.time_zone))


def where_of(offer: search.FreeSlot) -> str:
    """Return the place of an offer, how far it is, and whether steps lead to it."""
    told = [
        in_words(offer.names),
        gettext("%(km)s km away", km=format_number(round(offer.distance_km, 1))),
    ]
    if offer.step_free:
        told.append(gettext("step-free"))
    return gettext(", ").join(told)


def _place() -> Place:
    with parts().doors.reading() as db:
        return booking.place_of(db, _slot_id())


def _asked() -> dict[str, Any]:
    """Return the part of the address that goes along through the journey."""
    return {
        name: request.args[name]
        for name in ("slot", "dose", "programme", "town")
        if name in request.args
    }


def _slot_id() -> UUID:
    try:
        return UUID(request.args.get("slot", ""))
    except ValueError:
        raise NotFound from None


def _dose() -> int:
    dose = request.args.get("dose", "1")
    if dose not in DOSES:
        raise NotFound
    return int(dose)
