"""What a citizen does with an appointment they have: move it, cancel it, keep it in a calendar."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from healthcert.errors import AnothersTicket, NotEligible, SlotFull, TimesOverlap
from healthcert.models import Appointment, Person
from healthcert.services import booking, moving, people, scenes, search
from healthcert.services.scenes import Place
from healthcert.web.draft import wanted
from healthcert.web.family import actor, opened, whose
from healthcert.web.guards import visitor
from healthcert.web.here import parts
from healthcert.web.in_hand import calendar
from healthcert.web.moment import now
from healthcert.web.places import YEAR, Page, near, year_from
from healthcert.web.refusals import Answer, answer_to
from healthcert.web.room import admit, refuse_another
from healthcert.web.times import When, to_choose

bp = Blueprint("appointments", __name__, url_prefix="/my/appointments/<uuid:appointment_id>")

_OFFERED = 15


@bp.route("/cancel", methods=["GET", "POST"])
def cancel(appointment_id: UUID) -> Page:
    """Ask once, tell what happens, and give an appointment back."""
    if request.method != "POST":
        own, place, later = _own(appointment_id)
        return render_template("citizen/cancel.html", own=own, place=place, later=later)
    do(booking.cancel, vault=parts().vault, appointment_id=appointment_id)
    return redirect(url_for("citizen.overview", done="cancelled"), code=303)


@bp.route("/move", methods=["GET", "POST"])
def move(appointment_id: UUID) -> Page:
    """Ask for another time, show both, and exchange them: the new place is taken first."""
    _admit()
    own, place, later = _own(appointment_id)
    if request.method != "POST" or "slot" not in request.args:
        return _ask(own, place, later)
    try:
        slot_id = wanted()[0].slot_id
        do(move_in_turn, vault=parts().vault, appointment_id=own.id, slot_id=slot_id)
    except (SlotFull, TimesOverlap, NotEligible, AnothersTicket) as refusal:
        return _ask(own, place, later, answer_to(type(refusal)))
    return redirect(url_for("citizen.overview", done="moved"), code=303)


@bp.get("/appointment.ics")
def calendar_file(appointment_id: UUID) -> Response:
    """Give the appointment for a calendar."""
    own, place, _later = _own(appointment_id)
    return calendar([(own.reference, place)])


@wraps(moving.move)
def move_in_turn(db: Any, *, person_id: UUID, **told: Any) -> Appointment:  # noqa: ANN401
    """Move an appointment; while an opening is on, in the turn of its person, or of who acts."""
    if _admit():
        theirs = people.locked(db, person_id), db.get_one(Person, visitor().id)
        refuse_another(people.details_of(parts().vault, each) for each in theirs)
    return moving.move(db, person_id=person_id, **told)


def do(work: Callable[..., object], **told: Any) -> None:  # noqa: ANN401 - as the deed
    """Do a deed with bookings for whoever's record is open."""
    who, at = actor(), now()
    parts().doors.run(lambda db: work(db, person_id=whose(db, "book"), actor=who, now=at, **told))


def _admit() -> bool:
    """Ask whoever needs a turn to move for it, which a desk never does; say whether they do."""
    if visitor().works_here:
        return False
    admit()
    return True


def _ask(
    own: Appointment, place: Place, later: Appointment | None, wrong: Answer | None = None
) -> Page:
    """Show the free times nearest to one's own, or the one that was chosen beside it."""
    form, going = When(request.args or None), "go" in request.args and wrong is None
    form.since.validate(form)
    since = form.since.data
    product_id, days = None, year_from(since) if since else None
    if own.dose_number > 1:  # a series keeps its vaccine, and its days between
        product_id, days = place.product.id, days or (place.session.day, place.session.day + YEAR)
    with parts().doors.reading() as db:
        offers = search.nearest_free(
            db, programme_id=own.programme_id, near=near(place.site), product_id=product_id,
            dose_number=own.dose_number, source=own.source, limit=_OFFERED, now=now(), days=days,
        )  # fmt: skip
    offers = [offer for offer in offers if offer.slot_id != own.slot_id]
    shown = {"own": own, "place": place, "later": later, "form": form, "wrong": wrong}
    shown["is_ticket"] = wrong == answer_to(AnothersTicket)
    shown["hints"] = to_choose(form, "slot", offers)
    if going and form.validate():
        [new] = [offer for offer in offers if offer.slot_id == UUID(form.slot.data)]
        return render_template("citizen/move_check.html", new=new, **shown)
    return render_template(
        "citizen/move.html", **shown
    ), wrong.status if wrong else 400 if form.errors else 200


def _own(appointment_id: UUID) -> tuple[Appointment, Place, Appointment | None]:
    """Return an appointment in the open record, with its place, and that of the next dose.

    Raises:
        NotFound: It is somebody else's.
    """
    with opened() as (db, person_id):
        own = booking.own(db, appointment_id=appointment_id, person_id=person_id)
        return own, scenes.place_of(db, own.slot_id, states=None), booking.next_of(db, own)
