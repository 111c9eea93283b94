"""What one has in hand of a booking: references, a slip, and a file for a calendar (RFC 5545)."""

from collections.abc import Iterable
from uuid import UUID

import icalendar
from flask import redirect, render_template, session, url_for
from werkzeug import Response

from healthcert.errors import there
from healthcert.i18n import gettext
from healthcert.services import scenes
from healthcert.services.scenes import Place
from healthcert.web import draft
from healthcert.web.here import parts
from healthcert.web.labels import in_words
from healthcert.web.moment import now
from healthcert.web.places import Page, at_desk, both


def calendar(appointments: Iterable[tuple[str, Place]]) -> Response:
    """Return a file with an event for each appointment: its reference and its place.

    The reference is the event's name for programs, so that a moved one can be told from another.
    It names no vaccine: calendars are shared with others and shown on locked screens.
    """
    made = icalendar.Calendar()
    made.add("prodid", "-//healthcert//appointments//")
    made.add("version", "2.0")
    for reference, place in appointments:
        event = icalendar.Event()
        event.add("uid", f"{reference}@healthcert")
        event.add("dtstamp", now())
        event.add("dtstart", place.slot.starts_at)
        event.add("dtend", place.slot.ends_at)
        event.add("summary", gettext("Appointment at %(place)s", place=in_words(place.site.names)))
        event.add("location", in_words(place.site.address))
        event.add("description", gettext("Reference: %(ref)s", ref=reference))
        made.add_component(event)
    response = Response(made.to_ical(), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = "attachment; filename=appointment.ics"
    return response


@both("/done")
def done() -> Page:
    """Show the references, and what to do with them; at the desk it is the slip."""
    if done_key() not in session:
        return redirect(url_for(".start"), code=303)
    return render_template(
        "booking/done.html", booked=session[done_key()], made=_made(), which=draft.window() or None
    )


@both("/done.ics")
def calendar_file() -> Response:
    """Give the appointments for a calendar."""
    return calendar([(one["reference"], place) for one, place in _made()])


def _made() -> list[tuple[dict[str, str], Place]]:
    told = there(session.get(done_key()))
    with parts().doors.reading() as db:
        slots = [(one, UUID(one["slot"])) for one in told["made"]]
        return [(one, scenes.place_of(db, slot, states=None)) for one, slot in slots]


def done_key() -> str:
    """Return under what a session keeps what was booked at this door."""
    return ("desk_booked" if at_desk() else "booked") + draft.window()


def to_done() -> Response:
    """Lead to what was booked in this window."""
    return redirect(url_for(".done", draft=draft.window() or None), code=303)
