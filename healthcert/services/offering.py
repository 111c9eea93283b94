"""Offer freed places to those who wait, in their order, and end what nobody answers.

Offers of all places are made one after the other (an advisory lock on PostgreSQL), so that two
workers never offer the same place twice.
"""

from datetime import datetime
from fractions import Fraction
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from healthcert.gateways.vault import Vault
from healthcert.models import (
    ClinicSession,
    Dose,
    DoseStanding,
    Offer,
    Person,
    Site,
    Slot,
    WaitEntry,
    new_id,
)
from healthcert.models.waiting import IN_ORDER, place_in_line
from healthcert.policy import offers as policy
from healthcert.services import audit, eligibility, near, scenes, waiting
from healthcert.services.offers import dose_for
from healthcert.services.scenes import BOOKABLE, Place

_LOCK = 7233180152
# Who is to get something else, or later, may stand before who can be asked: so many are read at
# once, and so often.
_LOOKED_AT, _TIMES = 200, 20
_REMEMBERED = 500  # answers from which the next ones are foreseen
_UNHEARD = 2  # offers without an answer, after which one is asked no more
ANSWERS = ("accepted", "declined", "lapsed")


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
    place = scenes.place_of(db, slot_id)
    slot, zone = place.slot, place.site.time_zone
    ends_at = policy.until(now, slot.starts_at, quiet, zone)
    if ends_at is None:
        return 0
    still_open = _count(db, Offer.slot_id == slot.id, Offer.state == "open")
    room = policy.room(slot.kept_waiting - slot.booked_waiting, still_open, _rate(db))
    made, query, left = 0, _in_order(db, place, now), _TIMES if room else 0
    while left:
        rows = db.execute(query).all()
        for entry, person in rows:
            if made < room and _is_to_be_asked(db, vault, person, entry, place):
                made += 1
                _offer(db, vault, entry, place, ends_at, link, now)
        if made == room or len(rows) < _LOOKED_AT:
            break
        query, left = query.where(place_in_line(rows[-1][0]) < IN_ORDER), left - 1
    if left and not made and not still_open:
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


def _in_order(db: Session, place: Place, now: datetime) -> Select[WaitEntry, Person]:
    """Return the query of who may be asked for a place, in their order."""
    day, here = place.session.day, (place.site.latitude, place.site.longitude)
    away = {site.id: near.km(here, site) for site in db.scalars(select(Site))}
    around = [
        and_(WaitEntry.within_km == km, WaitEntry.site_id.in_([s for s in away if away[s] <= km]))
        for km in policy.RADII
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
        .order_by(*IN_ORDER.clauses)
        .limit(_LOOKED_AT)
    )


def _is_to_be_asked(
    db: Session, vault: Vault, person: Person, entry: WaitEntry, place: Place
) -> bool:
    """Say whether somebody is to be asked; who has booked, or had their dose, waits no more."""
    over = waiting.active(db, person.id, entry.programme_id)
    if not over and dose_for(db, vault, person, place) is None:
        given = select(Dose.id).join(DoseStanding, DoseStanding.dose_id == Dose.id).where(
            DoseStanding.person_id == person.id, DoseStanding.counts == "valid",
            Dose.programme_id == entry.programme_id, Dose.recorded_at > entry.recorded_at,
        )  # fmt: skip
        over = db.scalar(given.limit(1)) is not None
        if not over:
            return False
    elif not over and not eligibility.is_admitted(
        db, vault=vault, person=person, programme_id=entry.programme_id, day=place.session.day
    ):
        return False  # their phase was put off, or is over by then: an offer would be refused
    mine = update(WaitEntry).where(WaitEntry.id == entry.id, WaitEntry.state == "waiting")
    moved = mine.values(state="placed" if over else "offered").returning(WaitEntry.id)
    return db.execute(moved).one_or_none() is not None and not over


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


def _rate(db: Session) -> Fraction:
    query = select(Offer.state).where(Offer.state.in_(ANSWERS))
    seen = db.scalars(query.order_by(Offer.id.desc()).limit(_REMEMBERED)).all()
    return policy.acceptance(seen.count("accepted"), len(seen))


def _count(db: Session, *which: ColumnElement[bool]) -> int:
    return db.scalars(select(func.count()).select_from(Offer).where(*which)).one()
