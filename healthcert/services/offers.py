"""Which places are to be offered, doses left over too; and an offer taken, or left to the next.

Who answers locks the person first, as everywhere. `services.offering` makes the offers.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, NotFound, WrongState, there
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    ClinicSession,
    Offer,
    Product,
    Site,
    Slot,
    Staff,
    WaitEntry,
    new_id,
)
from healthcert.services import (
    asking,
    audit,
    booking,
    draws,
    looks,
    people,
    scenes,
    waiting,
)
from healthcert.services.scenes import BOOKABLE


def due(db: Session, *, now: datetime) -> list[UUID]:
    """Return the slots in which places are free for those who wait, the soonest first.

    What begins after the list of a draw closes waits for its ranks.
    """
    query = select(Slot.id, Slot.starts_at, ClinicSession.programme_id)
    query = query.join(ClinicSession, ClinicSession.id == Slot.session_id)
    free = Slot.kept_waiting > Slot.booked_waiting
    query = query.where(free, Slot.starts_at > now, ClinicSession.state.in_(BOOKABLE))
    lots = [(one.programme_id, draws.moment(one.rules["closes"])) for one in draws.unfinished(db)]
    return [
        slot_id
        for slot_id, starts_at, programme_id in db.execute(query.order_by(Slot.starts_at))
        if not any(its == programme_id and closes <= starts_at for its, closes in lots)
    ]


class Open(NamedTuple):
    """A place that is offered to somebody, as the desk reads it to them."""

    offer_id: UUID
    starts_at: datetime
    product: str  # its name
    ends_at: datetime  # until when it is answered


def open_at(db: Session, *, site_id: UUID, person_id: UUID, now: datetime) -> list[Open]:
    """Return the places at a site that are offered to a person just now."""
    query = (
        select(Offer.id, Slot.starts_at, Product.name, Offer.ends_at)
        .join(Slot, Slot.id == Offer.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .where(Offer.person_id == person_id, Offer.state == "open", Offer.ends_at > now)
        .where(ClinicSession.site_id == site_id)
        .order_by(Slot.starts_at, Offer.id)
    )
    return [Open._make(row) for row in db.execute(query)]


def accept(
    db: Session, *, vault: Vault, offer_id: UUID, person_id: UUID, actor: audit.Actor,
    now: datetime, source: str = "web",
) -> Appointment:  # fmt: skip
    """Take the place that is offered to a person.

    Raises:
        NotFound: No such offer to this person.
        WrongState: It is over.
        SlotFull: Others were quicker; the wait goes on where it was.
        AlreadyBooked, NotEligible, TimesOverlap: As `booking.take`.
    """
    person = people.locked(db, person_id)
    offer, entry = _open(db, offer_id, person_id, now)
    place = scenes.place_of(db, offer.slot_id)
    number = asking.dose_for(db, vault, person, place)
    if number is None:
        raise AlreadyBooked
    made = booking.take(
        db, vault=vault, person_id=person.id, slot_id=offer.slot_id, dose_number=number,
        source=source, actor=actor, now=now, pools=("waiting",),
    )  # fmt: skip
    offer.state, offer.appointment_id, entry.state = "accepted", made.id, "placed"
    db.flush()
    waiting.note(db, actor, "offer_accepted", entry, now, slot=offer.slot_id)
    return made


def decline(
    db: Session, *, offer_id: UUID, person_id: UUID, actor: audit.Actor, now: datetime
) -> None:
    """Leave an offered place to the next, and wait on where one was.

    Raises:
        NotFound: No such offer to this person.
        WrongState: It is over.
    """
    people.locked(db, person_id)
    offer, entry = _open(db, offer_id, person_id, now)
    offer.state, entry.state = "declined", "waiting"
    db.flush()
    waiting.note(db, actor, "offer_declined", entry, now, slot=offer.slot_id)


def take_for(
    db: Session, *, vault: Vault, offer_id: UUID, staff: Staff, now: datetime
) -> Appointment:
    """Take the place at one's own site that is offered to somebody, as they say.

    Raises:
        NotFound: No such offer there.
        WrongState: It is over.
        SlotFull, AlreadyBooked, NotEligible, TimesOverlap: As `accept`.
    """
    person_id, actor = _asked(db, offer_id, staff, now), audit.Actor("staff", staff.id)
    told: Any = {"offer_id": offer_id, "person_id": person_id, "actor": actor, "now": now}
    return accept(db, vault=vault, source="phone", **told)


def leave_for(db: Session, *, offer_id: UUID, staff: Staff, now: datetime) -> UUID:
    """Leave the place at one's own site that is offered to somebody to the next, as they say.

    They wait on where they were; return who it is.

    Raises:
        NotFound: No such offer there.
        WrongState: It is over.
    """
    person_id, actor = _asked(db, offer_id, staff, now), audit.Actor("staff", staff.id)
    decline(db, offer_id=offer_id, person_id=person_id, actor=actor, now=now)
    return person_id


def sessions_today(db: Session, *, site: Site, now: datetime) -> list[tuple[ClinicSession, str]]:
    """Return the open sessions of a site today, and the product of each."""
    today = now.astimezone(ZoneInfo(site.time_zone)).date()
    query = select(ClinicSession, Product.name).join(
        Product, Product.id == ClinicSession.product_id
    )
    query = query.filter_by(site_id=site.id, day=today).where(ClinicSession.state.in_(BOOKABLE))
    return [(session, name) for session, name in db.execute(query.order_by(Product.name))]


def standby(
    db: Session, *, site: Site, session_id: UUID, doses: int, staff: Staff, now: datetime
) -> Slot:
    """Return a slot in an hour for doses of open vials, kept for those who wait nearby.

    Raises:
        NotFound: No such session is open at this site today.
    """
    found = {one.id for one, _product in sessions_today(db, site=site, now=now)}
    if session_id not in found:
        raise NotFound
    starts_at = now + timedelta(hours=1, milliseconds=1)  # no other slot begins just then
    slot = Slot(
        id=new_id(), recorded_at=now, session_id=session_id, starts_at=starts_at, booked=0,
        ends_at=starts_at + timedelta(minutes=30), capacity=doses, kept_waiting=doses,
    )  # fmt: skip
    db.add(slot)
    db.flush()
    audit.done(db, "standby_begun", slot, {"doses": doses}, by=staff, now=now)
    return slot


def _asked(db: Session, offer_id: UUID, staff: Staff, now: datetime) -> UUID:
    """Return to whom a place at one's own site is offered; the look is written down."""
    query = select(Offer.person_id).join(Slot, Slot.id == Offer.slot_id)
    query = query.join(ClinicSession, ClinicSession.id == Slot.session_id)
    query = query.where(Offer.id == offer_id, ClinicSession.site_id == staff.site_id)
    person_id = there(db.scalar(query))
    looks.seen(db, staff=staff, person_id=person_id, reason="request", now=now)
    return person_id


def _open(db: Session, offer_id: UUID, person_id: UUID, now: datetime) -> tuple[Offer, WaitEntry]:
    offer = db.get(Offer, offer_id, with_for_update=True, populate_existing=True)
    if offer is None or offer.person_id != person_id:
        raise NotFound
    if offer.state != "open" or offer.ends_at <= now:
        raise WrongState
    return offer, db.get_one(WaitEntry, offer.wait_entry_id)
