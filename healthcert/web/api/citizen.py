"""For citizens: the people one acts for, appointments, certificates, the whole record.

``Acting-For`` says whose record is meant; without it it is one's own.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from healthcert.errors import NotEligible, NotFound, SlotFull, TimesOverlap, WrongState
from healthcert.hcert import qr
from healthcert.services import booking, holding, moving, my_record, people, proxies, record
from healthcert.web import family, in_hand
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, serve
from healthcert.web.api.lists import Page, Paging, page
from healthcert.web.api.shapes import Calendar, Picture, Told, of
from healthcert.web.guards import visitor

_MOVES = (NotFound, WrongState, NotEligible, SlotFull, TimesOverlap)


@of(proxies.Held, "proxy_id", "person_id", "mine", "name", "kind", "scopes", "ends_at")
class Proxy(Told):
    """Somebody one acts for, or who acts for one."""


@of(record.HeldAppointment, "appointment_id", "reference", "starts_at", "ends_at", "time_zone",
    "place", "address", "programme_id", "programme", "product", "dose_number", "state")  # fmt: skip
class Appointment(Told):
    """An appointment; its state is one of held, booked, arrived, vaccinated and so on."""


@of(holding.HeldCertificate, "certificate_id", "kind", "state", "uvci", "dn", "sd", "product",
    "day", "issued_at", "expires_at", "revoked_reason")  # fmt: skip
class Certificate(Told):
    """A certificate of one's own, without its text."""


class Text(Told):
    """What a certificate's code says."""

    certificate_id: UUID
    text: str


class Record(Told):
    """Everything held about a person (`docs/howto/my-record.md`)."""

    format: str
    made_at: str
    person_id: UUID
    held: dict[str, list[dict[str, Any]]]
    seen: list[dict[str, Any]]


@deed("GET", "/people", (NotFound,), name="family_of")
def family_of(on: On, query: Paging) -> Page[Proxy]:
    """List for whom one acts, and who acts for one."""
    found = proxies.held(family.deed(on.db), visitor().id)
    return page(Proxy, found, lambda one: (one.proxy_id,), query)


@deed("GET", "/appointments", (NotFound,))
def appointments(on: On, query: Paging) -> Page[Appointment]:
    """List a person's appointments, by time."""
    whose = on.whose("view")
    found = record.appointments_of(on.db, whose)[whose]
    return page(Appointment, found, lambda one: (one.starts_at, one.appointment_id), query)


@deed("GET", "/appointments/<uuid:appointment_id>", (NotFound,))
def appointment(on: On, appointment_id: UUID) -> Appointment:
    """Show an appointment; its ETag is asked for where it is changed."""
    return _own(on, on.whose("view"), appointment_id)


def _as_it_stands(on: On, appointment_id: UUID) -> Appointment:
    """Return an appointment that nobody else changes meanwhile."""
    whose = on.whose("book")
    people.locked(on.db, whose)
    return _own(on, whose, appointment_id)


def _own(on: On, whose: UUID, appointment_id: UUID) -> Appointment:
    for each in record.appointments_of(on.db, whose)[whose]:
        if each.appointment_id == appointment_id:
            return Appointment.model_validate(each)
    raise NotFound


serve("POST", "/appointments/<uuid:appointment_id>/cancel", booking.cancel, _MOVES[:2],
      whose="book", match=_as_it_stands)  # fmt: skip
serve("POST", "/appointments/<uuid:appointment_id>/move", moving.move, _MOVES, whose="book",
      match=_as_it_stands)  # fmt: skip


@deed("GET", "/appointments/<uuid:appointment_id>/calendar.ics", (NotFound,))
def calendar(on: On, appointment_id: UUID) -> Calendar:
    """Give an appointment for a calendar; it names no vaccine."""
    own = booking.own(on.db, appointment_id=appointment_id, person_id=on.whose("view"))
    place = booking.place_of(on.db, own.slot_id, states=None)
    return Calendar(in_hand.calendar([(own.reference, place)]).get_data())


@deed("GET", "/certificates", (NotFound,))
def certificates(on: On, query: Paging) -> Page[Certificate]:
    """List a person's certificates."""
    held = holding.overview(on.db, person_id=on.whose("view"), **on.kit).certificates
    return page(Certificate, held, lambda one: (one.certificate_id,), query)


@deed("GET", "/certificates/<uuid:certificate_id>", (NotFound, WrongState))
def certificate(on: On, certificate_id: UUID) -> Text:
    """Give the text of a certificate, as it stands in its code."""
    whose, vault = on.whose("view"), on.kit["vault"]
    found = holding.certificate_text(
        on.db, vault=vault, person_id=whose, certificate_id=certificate_id
    )
    return Text(certificate_id=certificate_id, text=found.text)


@deed("GET", "/certificates/<uuid:certificate_id>/code.svg", (NotFound, WrongState))
def code(on: On, certificate_id: UUID) -> Picture:
    """Draw the code of a certificate."""
    return Picture(qr.svg(certificate(on, certificate_id).text).encode())


@deed("GET", "/record", (NotFound,))
def whole_record(on: On) -> Record:
    """Give everything that is held about a person, and who looked at it."""
    return Record(**my_record.export(on.db, person_id=on.whose("view"), **on.kit).as_json())
