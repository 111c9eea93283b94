"""What a citizen does with an appointment they have: move it, cancel it, keep it in a calendar."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import NotEligible, SlotFull, TimesOverlap
from healthcert.models import Appointment
from healthcert.services import booking, moving, search
from healthcert.services.booking import Place
from healthcert.services.search import FreeSlot
from healthcert.web.answers import options
from healthcert.web.family import actor, opened, whose
from healthcert.web.here import parts
from healthcert.web.ics import calendar
from healthcert.web.moment import now
from healthcert.web.places import Page, near
from healthcert.web.refusals import answer_to
from healthcert.web.times import When, chosen, when_of, where_of, written

bp = Blueprint("appointments", __name__, url_prefix="/my/appointments/<uuid:appointment_id>")

_OFFERED = 15


@bp.route("/cancel", methods=["GET", "POST"])
def cancel(appointment_id: UUID) -> Page:
    """Ask once, tell what happens, and give an appointment back."""
    if request.method != "POST":
        own, place = _own(appointment_id)
        return render_template("citizen/cancel.html", own=own, place=place)
    parts().doors.run(
        lambda db: booking.cancel(
            db, vault=parts().vault, appointment_id=appointment_id, person_id=whose(db, "book"),
            actor=actor(), now=now(),
        )
    )  # fmt: skip
    return redirect(url_for("citizen.overview", done="cancelled"), code=303)


@bp.route("/move", methods=["GET", "POST"])
def move(appointment_id: UUID) -> Page:
    """Ask for another time, show both, and exchange them: the new place is taken first."""
    own, place = _own(appointment_id)
    if request.method == "POST":
        return _moved(own, place)
    offers = _offers(own, place)
    form = When(request.args if "go" in request.args else None)
    del form.second
    form.slot.choices = options({written(offer): when_of(offer) for offer in offers})
    if "go" in request.args and form.validate():
        new = next(offer for offer in offers if written(offer) == form.slot.data)
        return render_template("citizen/move_check.html", own=own, place=place, new=new)
    return _ask(own, place, offers, form), 400 if form.errors else 200


@bp.get("/appointment.ics")
def calendar_file(appointment_id: UUID) -> Response:
    """Give the appointment for a calendar."""
    own, place = _own(appointment_id)
    return calendar([(own.reference, place)], now())


def _moved(own: Appointment, place: Place) -> Page:
    [slot_id] = chosen("slot")[:1]
    try:
        parts().doors.run(
            lambda db: moving.move(
                db, vault=parts().vault, appointment_id=own.id, person_id=whose(db, "book"),
                slot_id=slot_id, now=now(),
            )
        )  # fmt: skip
    except (SlotFull, TimesOverlap, NotEligible) as refusal:
        form = When()
        del form.second
        offers = [each for each in _offers(own, place) if each.slot_id != slot_id]
        form.slot.choices = options({written(offer): when_of(offer) for offer in offers})
        return _ask(own, place, offers, form, answer_to(type(refusal))), 409
    return redirect(url_for("citizen.overview", done="moved"), code=303)


def _ask(own: Appointment, place: Place, offers: list[FreeSlot], form: When, *wrong: Any) -> str:  # noqa: ANN401 - an answer
    hints = {written(offer): where_of(offer) for offer in offers}
    return render_template(
        "citizen/move.html", own=own, place=place, offers=offers, form=form, hints=hints,
        wrong=wrong[0] if wrong else None,
    )  # fmt: skip


def _offers(own: Appointment, place: Place) -> list[FreeSlot]:
    """Return the free times nearest to where one has a place; a later dose of the same vaccine."""
    with parts().doors.reading() as db:
        return search.nearest_free(
            db, programme_id=own.programme_id, near=near(place.site), now=now(), limit=_OFFERED,
            dose_number=own.dose_number, source=own.source,
            product_id=place.product.id if own.dose_number > 1 else None,
        )  # fmt: skip


def _own(appointment_id: UUID) -> tuple[Appointment, Place]:
    """Return an appointment in the open record, with its place.

    Raises:
        NotFound: It is somebody else's.
    """
    with opened() as (db, person_id):
        own = booking.own(db, appointment_id=appointment_id, person_id=person_id)
        return own, booking.place_of(db, own.slot_id, states=None)
