"""Book a place, move it, give it back.

One guarded UPDATE takes a place in the same transaction as the row that holds it, so two people
never share the last one. Every deed locks the person first and slots after, in the order of
their ids. Whoever calls has said who the person is; what only the record knows is answered to a
stranger with one word, `AlreadyBooked`.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.errors import (
    AlreadyBooked,
    NotEligible,
    NotFound,
    SlotFull,
    TimesOverlap,
    WrongState,
)
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    Base,
    ClinicSession,
    Person,
    Product,
    Site,
    Slot,
    new_id,
)
from healthcert.models.appointment import ACTIVE
from healthcert.models.broken import broken_rule
from healthcert.policy import reference
from healthcert.policy.schedule import old_enough
from healthcert.services import audit, history, messages, people
from healthcert.services.people import Details

_SLOT, _APPOINTMENT = (Base.metadata.tables[name] for name in ("slot", "appointment"))
BOOKABLE = ("published", "running")
_REFUSALS = {
    "one_active_appointment": AlreadyBooked,
    "appointment_overlap": TimesOverlap,
}
_TRIES = 4  # references: 35 bits, so that even the second is a rarity


@dataclass(frozen=True, slots=True)
class Place:
    """A slot with what it belongs to."""

    slot: Slot
    session: ClinicSession
    site: Site
    product: Product


def book(
    db: Session,
    *,
    vault: Vault,
    slot_id: UUID,
    dose_number: int,
    details: Details,
    source: str,
    now: datetime,
) -> Appointment:
    """Take one place of a slot for the person these details are of.

    Raises:
        BadInput: A field of the details cannot be used.
        NotFound: No such slot is open for booking.
        WrongState: The slot has begun.
        NotEligible: Too young for the product on that day, by the birth date given.
        SlotFull: No place is left.
        AlreadyBooked: The person has an appointment for this dose, or it is not the dose due by
            the record, or the details contradict it.
        TimesOverlap: The person has another appointment at that time.
    """
    place = place_of(db, slot_id)
    person = people.enrol(db, vault=vault, details=details, now=now)
    try:
        return take(
            db,
            vault=vault,
            person=person,
            slot_id=place.slot.id,
            dose_number=dose_number,
            source=source,
            actor=audit.Actor("citizen", person.id),
            now=now,
        )
    except _NotDue:
        raise AlreadyBooked from None


def take(
    db: Session,
    *,
    vault: Vault,
    person: Person,
    slot_id: UUID,
    dose_number: int,
    source: str,
    actor: audit.Actor,
    now: datetime,
) -> Appointment:
    """Take one place of a slot for a person whom the caller knows.

    Raises:
        NotFound: No such slot is open for booking.
        WrongState: The slot has begun.
        NotEligible: Too young on that day, or that dose is not due then.
        SlotFull: No place is left.
        AlreadyBooked: The person has an appointment for this dose.
        TimesOverlap: The person has another appointment at that time.
    """
    people.locked(db, person.id)
    place = place_of(db, slot_id)
    _refuse_begun(place, now)
    _refuse_too_young(place, people.details_of(vault, person).birth_date)
    _refuse_not_due(db, person, place, dose_number)
    appointment = _inserted(db, person, place, dose_number, source, now)
    _tell(db, vault, person, "booked", appointment, place, now)
    _note(db, actor, "appointment_booked", appointment, now)
    return appointment


def move(
    db: Session,
    *,
    vault: Vault,
    appointment_id: UUID,
    person_id: UUID,
    slot_id: UUID,
    now: datetime,
) -> Appointment:
    """Exchange a person's own appointment for one in another slot; the new place comes first.

    Raises:
        NotFound: No such appointment of this person, or no such slot.
        WrongState: The appointment is no longer booked, or a slot has begun.
        NotEligible: That dose is not due on the new day.
        SlotFull: No place is left; the old one is kept.
        TimesOverlap: The person has another appointment at the new time.
    """
    person = people.locked(db, person_id)
    old = own(db, appointment_id=appointment_id, person_id=person_id)
    place = place_of(db, slot_id)
    _refuse_begun(place, now)
    if old.state != "booked" or old.slot_id == slot_id:
        raise WrongState
    _refuse_too_young(place, people.details_of(vault, person).birth_date)
    _refuse_not_due(db, person, place, old.dose_number)
    _lock_slots(db, (old.slot_id, slot_id))
    take_place(db, slot_id)
    _leave(db, old, "rescheduled")
    appointment = _inserted(db, person, place, old.dose_number, old.source, now, taken=True)
    _tell(db, vault, person, "moved", appointment, place, now)
    _note(db, audit.Actor("citizen", person_id), "appointment_moved", appointment, now)
    return appointment


def cancel(
    db: Session, *, vault: Vault, appointment_id: UUID, person_id: UUID, now: datetime
) -> None:
    """Give a person's own appointment back; its place is free for others at once.

    Raises:
        NotFound: No such appointment of this person.
        WrongState: It is no longer booked.
    """
    person = people.locked(db, person_id)
    appointment = own(db, appointment_id=appointment_id, person_id=person_id)
    if appointment.state not in ("booked", "held"):
        raise WrongState
    _leave(db, appointment, "cancelled")
    place = place_of(db, appointment.slot_id, states=None)
    _tell(db, vault, person, "cancelled", appointment, place, now)
    _note(db, audit.Actor("citizen", person_id), "appointment_cancelled", appointment, now)


def own(db: Session, *, appointment_id: UUID, person_id: UUID) -> Appointment:
    """Return a person's own appointment.

    Raises:
        NotFound: No such appointment, or it is someone else's.
    """
    query = select(Appointment).filter_by(id=appointment_id, person_id=person_id)
    found = db.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def place_of(db: Session, slot_id: UUID, *, states: Collection[str] | None = BOOKABLE) -> Place:
    """Return a slot with session, site and product.

    Raises:
        NotFound: No such slot, or its session is in none of these states.
    """
    query = (
        select(Slot, ClinicSession, Site, Product)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Site, Site.id == ClinicSession.site_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .where(Slot.id == slot_id)
    )
    found = db.execute(query).one_or_none()
    if found is None or (states is not None and found[1].state not in states):
        raise NotFound
    return Place(*found)


def take_place(db: Session, slot_id: UUID) -> None:
    """Take one place, if there is one, by a single statement.

    Raises:
        SlotFull: There is none.
    """
    free = update(_SLOT).where(_SLOT.c.id == slot_id, _SLOT.c.booked < _SLOT.c.capacity)
    taken = free.values(booked=_SLOT.c.booked + 1).returning(_SLOT.c.id)
    if db.execute(taken).one_or_none() is None:
        raise SlotFull


def change_state(
    db: Session, appointment: Appointment, state: str, *, before: Collection[str]
) -> None:
    """Move an appointment on, by a single statement that says from where.

    Raises:
        WrongState: It is in none of the states `before`.
    """
    moved = (
        update(_APPOINTMENT)
        .where(_APPOINTMENT.c.id == appointment.id, _APPOINTMENT.c.state.in_(before))
        .values(state=state, held_until=None)
        .returning(_APPOINTMENT.c.id)
    )
    if db.execute(moved).one_or_none() is None:
        raise WrongState
    db.refresh(appointment)


def new_reference() -> str:
    """Return a fresh reference such as ``HC-7K4M-2QXD``, told by nobody and guessed by nobody."""
    return reference.write(secrets.randbelow(reference.BEFORE))


def read_reference(text: str) -> str:
    """Return a reference as we write it, from what a person typed.

    Raises:
        BadInput: ``reference: missing`` or ``reference: not_a_reference``.
    """
    return reference.read(text)


class _NotDue(NotEligible):
    """The record says that another dose is due, or later."""


def _refuse_begun(place: Place, now: datetime) -> None:
    if place.slot.starts_at <= now:
        raise WrongState


def _refuse_too_young(place: Place, birth_date: str) -> None:
    if not old_enough(birth_date, place.session.day, place.product.min_age_years):
        raise NotEligible


def _refuse_not_due(db: Session, person: Person, place: Place, dose_number: int) -> None:
    """Refuse a dose that is counted already, or a day on which it would be too early.

    A higher number than is due is taken: the doses before it may have been given elsewhere.
    """
    due = history.next_dose(
        db, person_id=person.id, programme_id=place.session.programme_id, today=place.session.day
    )
    if due.number > dose_number:
        raise _NotDue
    if due.number == dose_number and place.session.day < due.earliest:
        raise _NotDue


def _inserted(
    db: Session,
    person: Person,
    place: Place,
    dose_number: int,
    source: str,
    now: datetime,
    *,
    taken: bool = False,
) -> Appointment:
    """Write the appointment, and take its place unless that is done; the database judges."""
    if not taken:
        take_place(db, place.slot.id)
    row = {
        "id": new_id(),
        "recorded_at": now,
        "person_id": person.id,
        "slot_id": place.slot.id,
        "starts_at": place.slot.starts_at,
        "ends_at": place.slot.ends_at,
        "programme_id": place.session.programme_id,
        "dose_number": dose_number,
        "state": "booked",
        "source": source,
    }
    for attempt in range(1, _TRIES + 1):
        try:
            with db.begin_nested():
                db.execute(insert(_APPOINTMENT).values(reference=new_reference(), **row))
            break
        except IntegrityError as error:
            rule = broken_rule(error)
            if rule in _REFUSALS:
                raise _REFUSALS[rule] from None
            if rule != "uq_appointment_reference" or attempt == _TRIES:
                raise
    return db.get_one(Appointment, row["id"])


def _lock_slots(db: Session, slot_ids: Collection[UUID]) -> None:
    query = select(Slot.id).where(Slot.id.in_(slot_ids)).order_by(Slot.id)
    db.execute(query.with_for_update(key_share=True)).all()


def _leave(db: Session, appointment: Appointment, state: str) -> None:
    """End an active appointment and free its place."""
    change_state(db, appointment, state, before=ACTIVE)
    free = update(_SLOT).where(_SLOT.c.id == appointment.slot_id)
    db.execute(free.values(booked=_SLOT.c.booked - 1))


def _tell(
    db: Session,
    vault: Vault,
    person: Person,
    template: str,
    appointment: Appointment,
    place: Place,
    now: datetime,
) -> None:
    messages.queue(
        db,
        vault=vault,
        person=person,
        template=template,
        fields={
            "when": appointment.starts_at.astimezone(ZoneInfo(place.site.time_zone)),
            "place": place.site.names,
            "reference": appointment.reference,
        },
        time_zone=place.site.time_zone,
        due_at=now,
        now=now,
    )


def _note(
    db: Session, actor: audit.Actor, act: str, appointment: Appointment, now: datetime
) -> None:
    audit.note(
        db,
        actor=actor,
        act=act,
        subject=audit.Subject("appointment", appointment.id),
        details={
            "slot": appointment.slot_id,
            "dose": appointment.dose_number,
            "source": appointment.source,
        },
        now=now,
    )
