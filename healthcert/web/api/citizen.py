"""For citizens: the people one acts for, appointments, certificates, the whole record.

``Acting-For`` says whose record is meant; without it it is one's own.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from healthcert.errors import (
    NotEligible,
    NotFound,
    SlotFull,
    TimesOverlap,
    WrongState,
)
from healthcert.hcert import qr
from healthcert.services import booking, holding, moving, my_record, people, proxies, record
from healthcert.web import family
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed
from healthcert.web.api.shapes import Moment, Page, Paging, Picture, Shape, Told, Words, page
from healthcert.web.guards import visitor


class Held(Told):
    """Somebody one acts for, or who acts for one."""

    proxy_id: UUID
    person_id: UUID
    mine: bool
    name: str
    kind: str
    scopes: list[str]
    ends_at: Moment


class Appointment(Told):
    """An appointment; its state is one of held, booked, arrived, vaccinated and so on."""

    appointment_id: UUID
    reference: str
    starts_at: Moment
    ends_at: Moment
    time_zone: str
    place: Words
    address: Words
    programme_id: UUID
    programme: Words
    product: str
    dose_number: int
    state: str


class Move(Shape):
    """Where to."""

    slot_id: UUID


class Certificate(Told):
    """A certificate of one's own, without its text."""

    certificate_id: UUID
    kind: str
    state: str
    uvci: str
    dn: int | None
    sd: int | None
    product: str
    day: date
    issued_at: datetime | None
    expires_at: datetime | None
    revoked_reason: str


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


@deed("GET", "/people", (NotFound,))
def family_of(on: On, query: Paging) -> Page[Held]:
    """List for whom one acts, and who acts for one."""
    found = proxies.held(family.deed(on.db), visitor().id)
    return page(Held, found, lambda one: (one.proxy_id,), query)


@deed("GET", "/appointments", (NotFound,))
def appointments(on: On, query: Paging) -> Page[Appointment]:
    """List a person's appointments, by time."""
    found = record.appointments_of(on.db, on.whose("view"))
    return page(Appointment, found, lambda one: (one.starts_at, one.appointment_id), query)


@deed("GET", "/appointments/<uuid:appointment_id>", (NotFound,))
def appointment(on: On, appointment_id: UUID) -> Appointment:
    """Show an appointment; its ETag is asked for where it is changed."""
    return _own(on, on.whose("view"), appointment_id)


def seen(on: On, appointment_id: UUID) -> Appointment:
    """Return an appointment that nobody else changes meanwhile."""
    whose = on.whose("book")
    people.locked(on.db, whose)
    return _own(on, whose, appointment_id)


@deed("POST", "/appointments/<uuid:appointment_id>/cancel", (NotFound, WrongState), match=seen)
def cancel(on: On, appointment_id: UUID) -> Appointment:
    """Give an appointment back; its place is free at once."""
    whose = on.whose("book")
    booking.cancel(on.db, appointment_id=appointment_id, person_id=whose, actor=on.actor, **on.kit)
    return _own(on, whose, appointment_id)


@deed("POST", "/appointments/<uuid:appointment_id>/move",
      (NotFound, WrongState, NotEligible, SlotFull, TimesOverlap), match=seen)  # fmt: skip
def move(on: On, appointment_id: UUID, body: Move) -> Appointment:
    """Exchange an appointment for another; the new place is taken before the old one goes."""
    whose = on.whose("book")
    made = moving.move(
        on.db, appointment_id=appointment_id, person_id=whose, slot_id=body.slot_id, **on.kit
    )
    return _own(on, whose, made.id)


@deed("GET", "/certificates", (NotFound,))
def certificates(on: On, query: Paging) -> Page[Certificate]:
    """List a person's certificates."""
    held = holding.overview(on.db, person_id=on.whose("view"), **on.kit).certificates
    return page(Certificate, held, lambda one: (one.certificate_id,), query)


@deed("GET", "/certificates/<uuid:certificate_id>", (NotFound, WrongState))
def certificate(on: On, certificate_id: UUID) -> Text:
    """Give the text of a certificate, as it stands in its code."""
    return Text(certificate_id=certificate_id, text=_text(on, certificate_id))


@deed("GET", "/certificates/<uuid:certificate_id>/code.svg", (NotFound, WrongState))
def code(on: On, certificate_id: UUID) -> Picture:
    """Draw the code of a certificate."""
    return Picture(qr.svg(_text(on, certificate_id)).encode())


@deed("GET", "/record", (NotFound,))
def whole_record(on: On) -> Record:
    """Give everything that is held about a person, and who looked at it."""
    return Record(**my_record.export(on.db, person_id=on.whose("view"), **on.kit).as_json())


def _text(on: On, certificate_id: UUID) -> str:
    whose, vault = on.whose("view"), on.kit["vault"]
    return holding.certificate_text(
        on.db, vault=vault, person_id=whose, certificate_id=certificate_id
    ).text


def _own(on: On, whose: UUID, appointment_id: UUID) -> Appointment:
    for each in record.appointments_of(on.db, whose):
        if each.appointment_id == appointment_id:
            return Appointment.model_validate(each)
    raise NotFound
