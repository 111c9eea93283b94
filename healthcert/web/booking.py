"""The public's door to an appointment, once a time is chosen: details, check, done.

Which time and which dose stand in the address; what a person types of themselves stands in
their session until it is booked, so that a full slot or a wrong field loses nothing.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response

from healthcert.errors import BadInput, NotEligible, NotFound, SlotFull, TimesOverlap
from healthcert.services import booking
from healthcert.services.booking import Place
from healthcert.services.people import Details
from healthcert.services.tidying import tidy_identity, tidy_phone
from healthcert.web.about import About, about, accepted, details_in, told_back
from healthcert.web.answers import (
    kept,
    recalled,
)
from healthcert.web.here import limit, parts
from healthcert.web.labels import DOSES
from healthcert.web.moment import now
from healthcert.web.places import asked, nearest, when_of, where_of
from healthcert.web.refusals import answer_to
from healthcert.web.room import refuse_another

bp = Blueprint("booking", __name__, url_prefix="/book")

_NEXT_BEST = 6
_Page = str | tuple[str, int] | Response


@bp.get("/details")
def details() -> str:
    """Ask who is to be vaccinated."""
    draft = session.get("details")
    return _ask_details(about(recalled(draft) if draft else None))


@bp.post("/details")
def keep_details() -> _Page:
    """Keep what was typed, and go on where nothing is wrong with it."""
    form = about(request.form)
    session["details"] = kept(form, request.form)
    complete = form.validate()
    if accepted(form) and complete:  # both, so that everything that is wrong is told at once
        return redirect(url_for(".check", **asked()), code=303)
    return _ask_details(form), 400


@bp.get("/check")
def check() -> _Page:
    """Show everything once more before it is booked."""
    draft = session.get("details")
    if draft is None:
        return redirect(url_for(".details", **asked()), code=303)
    return render_template(
        "booking/check.html", place=_place(), rows=told_back(about(recalled(draft))), asked=asked()
    )


@bp.post("/check")
def book() -> _Page:
    """Take the place; where it has just been taken by others, offer the next best."""
    draft = session.get("details")
    if draft is None:
        return redirect(url_for(".done" if "booked" in session else ".details", **asked()), 303)
    form = about(recalled(draft))
    who = _who(details_in(form))
    try:
        refuse_another(who)
        limit("book", who)
        made = parts().doors.run(
            lambda db: booking.book(
                db,
                vault=parts().vault,
                slot_id=_slot_id(),
                dose_number=_dose(),
                details=details_in(form),
                source="web",
                now=now(),
            )
        )
    except BadInput as wrong:
        form.take(wrong.fields)
        return _ask_details(form), 400
    except NotEligible as refusal:
        return _not_open(refusal, form), 409
    except (SlotFull, TimesOverlap) as refusal:
        return _offer_others(refusal), 409
    session["booked"] = {
        "reference": made.reference,
        "slot": str(made.slot_id),
        "told": bool(form.phone.data or form.mail.data),
    }
    del session["details"]
    return redirect(url_for(".done"), code=303)


@bp.get("/done")
def done() -> _Page:
    """Show the reference, and what to do with it."""
    booked = session.get("booked")
    if booked is None:
        return redirect(url_for("places.start"), code=303)
    with parts().doors.reading() as db:
        place = booking.place_of(db, UUID(booked["slot"]), states=None)
    return render_template("booking/done.html", place=place, booked=booked)


def _ask_details(form: About) -> str:
    return render_template("booking/details.html", form=form, place=_place(), asked=asked())


def _not_open(refusal: NotEligible, form: About) -> str:
    """Keep why a person was refused, and tell them from when they would be admitted."""
    is_kept = refusal.by_phase and parts().doors.run(
        lambda db: booking.keep_refusal(
            db, vault=parts().vault, slot_id=_slot_id(), details=details_in(form), now=now()
        )
    )
    answer = answer_to(NotEligible)
    return render_template("booking/not_open.html", refusal=refusal, answer=answer, is_kept=is_kept)


def _offer_others(refusal: SlotFull | TimesOverlap) -> str:
    place = _place()
    near = place.site.latitude, place.site.longitude
    others = nearest(place.session.programme_id, near, _dose(), _NEXT_BEST)
    offers = [
        (
            url_for(".check", **{**asked(), "slot": str(offer.slot_id)}),
            when_of(offer),
            where_of(offer),
        )
        for offer in others
        if offer.slot_id != place.slot.id
    ]
    return render_template("booking/taken.html", answer=answer_to(type(refusal)), offers=offers)


def _place() -> Place:
    with parts().doors.reading() as db:
        return booking.place_of(db, _slot_id())


def _who(details: Details) -> str:
    """Return what tells one person who books from another, in one spelling."""
    return tidy_identity(details.identity).value or tidy_phone(details.phone) or details.mail


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
