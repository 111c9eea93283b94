"""Appointments for a calendar: iCalendar files (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import icalendar
from flask import Response

from healthcert.i18n import gettext
from healthcert.services.booking import Place
from healthcert.web.labels import in_words


def calendar(appointments: Iterable[tuple[str, Place]], now: datetime) -> Response:
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
        event.add("dtstamp", now)
        event.add("dtstart", place.slot.starts_at)
        event.add("dtend", place.slot.ends_at)
        event.add("summary", gettext("Appointment at %(place)s", place=in_words(place.site.names)))
        event.add("location", in_words(place.site.address))
        event.add("description", gettext("Reference: %(ref)s", ref=reference))
        made.add_component(event)
    response = Response(made.to_ical(), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = "attachment; filename=appointment.ics"
    return response
