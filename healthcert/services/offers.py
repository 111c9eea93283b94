"""Offer freed places to those who wait, in their order, and take their answers.

Offers of all places are made one after the other (an advisory lock on PostgreSQL), so that two
workers never offer the same place twice; who answers locks the person first, as everywhere.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, NotFound, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import (
    Appointment,
    ClinicSession,
    Offer,
    Person,
    Product,
    Site,
    Slot,
    Staff,
    WaitEntry,
    new_id,
)
from healthcert.models.waiting import IN_TURN
from healthcert.policy import offers as policy
from healthcert.services import audit, booking, history, knowledge, people, waiting
from healthcert.services.booking import BOOKABLE, Place

_LOCK = 7233180152
_LOOKED_AT = 200  # who is not old enough for what is given may stand before who is
_REMEMBERED = 500  # answers from which the next ones are foreseen
_UNHEARD = 2  # offers without an answer, after which one is asked no more
ANSWERS = ("accepted", "declined", "lapsed")


def due(db: Session, *, now: datetime) -> list[UUID]:
    """Return the slots in which places are free for those who wait, the soonest first."""
    query = select(Slot.id).join(ClinicSession, ClinicSession.id == Slot.session_id)
    free = Slot.kept_waiting > Slot.booked_waiting
    query = query.where(free, Slot.starts_at > now, ClinicSession.state.in_(BOOKABLE))
    return list(db.scalars(query.order_by(Slot.starts_at)))


def fill(
    db: Session, *, vault: Vault, quiet: policy.Quiet, link: str, slot_id: UUID, now: datetime
) -> int:
    """Offer a slot's places to the next in order; return to how many.

    Where by day nobody is left to ask, the places are opened to everybody. `link` is where the
    offer is answered.

    Raises:
        NotFound: No such slot is open for booking.
    """
    if db.get_bind().dialect.name == "postgresql":  # on SQLite only one writes at a time
        db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    place = booking.place_of(db, slot_id)
    slot, zone = place.slot, place.site.time_zone
    ends_at = policy.until(now, slot.starts_at, quiet, zone)
    if ends_at is None:
        return 0
    still_open = _count(db, Offer.slot_id == slot.id, Offer.state == "open")
    room = policy.room(slot.kept_waiting - slot.booked_waiting, still_open, _rate(db))
    made = 0
    for entry, person in db.execute(_in_order(db, place, now)) if room else ():
        if made < room and _is_to_be_asked(db, vault, person, entry, place):
            made += 1
            _offer(db, vault, entry, place, ends_at, link, now)
    if room and not made and not still_open:
        db.execute(update(Slot).where(Slot.id == slot.id).values(kept_waiting=slot.booked_waiting))
    return made


def close(db: Session, *, vault: Vault, now: datetime) -> int:
    """End offers whose time is over, or whose place is gone; return how many."""
    over = (Slot.starts_at <= now) | (Slot.places(("waiting",)) <= 0)
    gone = over | ClinicSession.state.not_in(BOOKABLE)
    query = (
        select(Offer, gone)
        .join(Slot, Slot.id == Offer.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(Offer.state == "open", gone | (Offer.ends_at <= now))
        .limit(_LOOKED_AT)
        .with_for_update(skip_locked=True, of=Offer)
    )
    found = db.execute(query).all()
    for offer, is_gone in found:
        offer.state = "withdrawn" if is_gone else "lapsed"
        db.flush()
        unheard = _count(db, Offer.wait_entry_id == offer.wait_entry_id, Offer.state == "lapsed")
        entry = db.get_one(WaitEntry, offer.wait_entry_id)
        entry.state = "lapsed" if not is_gone and unheard >= _UNHEARD else "waiting"
        template = {"withdrawn": "offer_gone", "lapsed": "waiting_lapsed"}
        if is_gone or entry.state == "lapsed":
            waiting.tell(db, vault, entry, template[offer.state], now)
        waiting.note(db, audit.SYSTEM, f"offer_{offer.state}", entry, now, slot=offer.slot_id)
    db.flush()
    return len(found)


def accept(
    db: Session, *, vault: Vault, offer_id: UUID, person_id: UUID, actor: audit.Actor, now: datetime
) -> Appointment:
    """Take the place that is offered to a person.

    Raises:
        NotFound: No such offer to this person.
        WrongState: It is over.
        SlotFull: Others were quicker; the wait goes on where it was.
        AlreadyBooked, NotEligible, TimesOverlap: As `booking.take`.
    """
    person = people.locked(db, person_id)
    offer, entry = _open(db, offer_id, person_id, now)
    place = booking.place_of(db, offer.slot_id)
    number = _dose(db, vault, person, place)
    if number is None:
        raise AlreadyBooked
    made = booking.take(
        db, vault=vault, person=person, slot_id=offer.slot_id, dose_number=number, source="web",
        actor=actor, now=now, pools=("waiting",),
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


def _in_order(db: Session, place: Place, now: datetime) -> Select[WaitEntry, Person]:
    """Return the query of who may be asked for a place, in their order."""
    day, here = place.session.day, (place.site.latitude, place.site.longitude)
    sites = db.scalars(select(Site)).all()
    around = [
        and_(
            WaitEntry.within_km == km,
            WaitEntry.site_id.in_([one.id for one in sites if waiting.apart(here, one) <= km]),
        )
        for km in waiting.RADII
    ]
    wanted = or_(WaitEntry.site_id.is_(None), WaitEntry.site_id == place.site.id, *around)
    asked = exists().where(
        Offer.wait_entry_id == WaitEntry.id, Offer.slot_id == place.slot.id,
        Offer.state != "withdrawn",
    )  # fmt: skip
    query = select(WaitEntry, Person).join(Person, Person.id == WaitEntry.person_id)
    if place.slot.starts_at - now < policy.SHORT_NOTICE:
        query = query.where(WaitEntry.standby)
    return (
        query.where(WaitEntry.programme_id == place.session.programme_id, wanted, ~asked)
        .where(WaitEntry.state == "waiting", WaitEntry.turn_on <= day)
        .where(Person.birth_year <= day.year - place.product.min_age_years)
        .order_by(WaitEntry.turn_on, IN_TURN, WaitEntry.recorded_at, WaitEntry.id)
        .limit(_LOOKED_AT)
    )


def _is_to_be_asked(
    db: Session, vault: Vault, person: Person, entry: WaitEntry, place: Place
) -> bool:
    """Say whether somebody still needs what is given there; who has booked waits no more."""
    booked = waiting.active(db, person.id, entry.programme_id)
    if not booked and _dose(db, vault, person, place) is None:
        return False
    mine = update(WaitEntry).where(WaitEntry.id == entry.id, WaitEntry.state == "waiting")
    moved = mine.values(state="placed" if booked else "offered").returning(WaitEntry.id)
    return db.execute(moved).one_or_none() is not None and not booked


def _offer(
    db: Session, vault: Vault, entry: WaitEntry, place: Place, ends_at: datetime, link: str,
    now: datetime,
) -> None:  # fmt: skip
    db.add(
        Offer(
            id=new_id(), recorded_at=now, wait_entry_id=entry.id, person_id=entry.person_id,
            slot_id=place.slot.id, state="open", ends_at=ends_at,
        )
    )  # fmt: skip
    db.flush()
    waiting.tell(
        db, vault, entry, "offer", now, when=place.slot.starts_at, place=place.site.names,
        until=ends_at, link=link, zone=place.site.time_zone,
    )  # fmt: skip
    waiting.note(db, audit.SYSTEM, "offer_made", entry, now, slot=place.slot.id)


def _dose(db: Session, vault: Vault, person: Person, place: Place) -> int | None:
    """Return which dose a person could be given there; None where none is due or fits."""
    day, birth_date = place.session.day, people.details_of(vault, person).birth_date
    rule = knowledge.rule_of(db, place.product.id).series
    following = history.outlook(
        db, person_id=person.id, birth_date=birth_date, programme_id=place.session.programme_id,
        today=day, product_id=place.product.id,
    ).next  # fmt: skip
    if following is None or following.earliest > day:
        return None
    return following.number if rule.at(birth_date, day).suits(birth_date, day) else None


def _rate(db: Session) -> Fraction:
    query = select(Offer.state).where(Offer.state.in_(ANSWERS))
    seen = db.scalars(query.order_by(Offer.id.desc()).limit(_REMEMBERED)).all()
    return policy.acceptance(seen.count("accepted"), len(seen))


def _open(db: Session, offer_id: UUID, person_id: UUID, now: datetime) -> tuple[Offer, WaitEntry]:
    offer = db.get(Offer, offer_id, with_for_update=True, populate_existing=True)
    if offer is None or offer.person_id != person_id:
        raise NotFound
    if offer.state != "open" or offer.ends_at <= now:
        raise WrongState
    return offer, db.get_one(WaitEntry, offer.wait_entry_id)


def _count(db: Session, *which: ColumnElement[bool]) -> int:
    return db.scalars(select(func.count()).select_from(Offer).where(*which)).one()
