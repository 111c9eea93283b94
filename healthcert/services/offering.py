"""Offer freed places to those who wait, in their order, and end what nobody answers.

Offers of all places are made one after the other (an advisory lock on PostgreSQL), so that two
workers never offer the same place twice. Who is to get something else, or later, may stand before
who can be asked, a hundred thousand of them: the line is looked through by pieces, each a
transaction, and nobody who waits behind them is forgotten.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Tuple, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from healthcert.gateways.vault import Vault
from healthcert.models import (
    Offer,
    Person,
    Site,
    Slot,
    WaitEntry,
    new_id,
)
from healthcert.models.waiting import IN_ORDER, place_in_line
from healthcert.policy import offers as policy
from healthcert.services import asking, audit, near, scenes, waiting, waits
from healthcert.services.bearing import Bearing
from healthcert.services.scenes import Place

Passed = dict[tuple[UUID, UUID, date], set[UUID]]  # waits by programme, product and day
_LOCK = 7233180152
_FIRST, _PIECE = 50, 500  # so many are looked at first, and with each transaction after it
_REMEMBERED = 500  # answers from which the next ones are foreseen
ANSWERS = ("accepted", "declined", "lapsed")
_OF_A_WAIT = (
    WaitEntry.id, WaitEntry.person_id, WaitEntry.programme_id, WaitEntry.recorded_at,
    WaitEntry.turn_on, WaitEntry.rank,
)  # fmt: skip


class Filled(NamedTuple):
    """What became of a slot's places."""

    made: int  # offers
    after: Tuple | None  # from whom on the line is to be looked at next; None where that is done


def fill(
    db: Session, *, vault: Vault, quiet: policy.Quiet, link: str, slot_id: UUID, now: datetime,
    after: Tuple | None = None, passed: Passed | None = None,
) -> Filled:  # fmt: skip
    """Offer a slot's places to the next in order, of a piece of the line.

    Where by day nobody is left to ask, the places are opened to everybody. `link` is where the
    offer is answered. Whom `passed` names gets nothing of that product on that day, and is passed
    over; who is found to be so is added to it.

    Raises:
        NotFound: No such slot is open for booking.
    """
    if db.get_bind().dialect.name == "postgresql":  # on SQLite only one writes at a time
        db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    place = scenes.place_of(db, slot_id)
    slot = place.slot
    ends_at = policy.until(now, slot.starts_at, quiet, place.site.time_zone)
    still_open = _count(db, Offer.slot_id == slot.id, Offer.state == "open")
    room = policy.room(slot.kept_waiting - slot.booked_waiting, still_open, _rate(db))
    if ends_at is None or not room:
        return Filled(0, None)
    most = _FIRST if after is None else _PIECE
    line = db.execute(_in_order(db, place, now, after).limit(most)).all()
    made = 0
    for one in _to_ask(db, vault, place, line, {} if passed is None else passed, now):
        _offer(db, vault, one, place, ends_at, link, now)
        made += 1
        if made == room:
            return Filled(made, None)
    if len(line) == most:
        return Filled(made, place_in_line(line[-1]))
    if not made and not still_open:
        db.execute(update(Slot).where(Slot.id == slot.id).values(kept_waiting=slot.booked_waiting))
    return Filled(made, None)


def _in_order(
    db: Session, place: Place, now: datetime, after: Tuple | None
) -> Select[UUID, UUID, UUID, datetime, date, int | None]:
    """Return the query of who may be asked for a place, in their order, from somebody on."""
    day, here = place.session.day, (place.site.latitude, place.site.longitude)
    sites = db.execute(select(Site.id, Site.latitude, Site.longitude)).all()
    away = {site.id: near.km(here, site) for site in sites}
    around = [
        and_(WaitEntry.within_km == km, WaitEntry.site_id.in_([s for s in away if away[s] <= km]))
        for km in policy.RADII
    ]
    wanted = or_(WaitEntry.site_id.is_(None), WaitEntry.site_id == place.site.id, *around)
    asked = exists().where(
        Offer.wait_entry_id == WaitEntry.id, Offer.slot_id == place.slot.id,
        Offer.state != "withdrawn",
    )  # fmt: skip
    query = select(*_OF_A_WAIT).join(Person, Person.id == WaitEntry.person_id)
    if place.slot.starts_at - now < policy.SHORT_NOTICE:
        query = query.where(WaitEntry.standby)
    if after is not None:
        query = query.where(after < IN_ORDER)
    return (
        query.where(WaitEntry.programme_id == place.session.programme_id, wanted, ~asked)
        .where(WaitEntry.state == "waiting", WaitEntry.turn_on <= day)
        .where(Person.birth_year <= day.year - place.product.min_age_years)
        .order_by(*IN_ORDER.clauses)
    )


def _to_ask(
    db: Session, vault: Vault, place: Place, line: Sequence[Any], passed: Passed, now: datetime
) -> Iterator[WaitEntry]:
    """Give who of a piece of the line is to be asked now, each as they are taken."""
    unfit = passed.setdefault((place.programme.id, place.product.id, place.session.day), set())
    new = [one for one in line if one.id not in unfit]
    for one, verdict in asking.judged(db, vault=vault, place=place, waits=new):
        if verdict == "fit" and waits.moved(db, one.id, "waiting", "offered"):
            yield db.get_one(WaitEntry, one.id)
        elif verdict == "over":
            waits.end(db, vault=vault, entry_id=one.id, now=now)
        elif verdict == "unfit":
            unfit.add(one.id)


def _offer(
    db: Session, vault: Vault, entry: WaitEntry, place: Place, ends_at: datetime, link: str,
    now: datetime,
) -> None:  # fmt: skip
    offer = Offer(
        id=new_id(), recorded_at=now, wait_entry_id=entry.id, person_id=entry.person_id,
        slot_id=place.slot.id, state="open", ends_at=ends_at,
    )  # fmt: skip
    db.add(offer)
    db.flush()
    waiting.tell(
        db, vault, entry, "offer", now, Bearing(ends_at, place.session.site_id, offer.id),
        when=place.slot.starts_at, place=place.site.names, until=ends_at, link=link,
        zone=place.site.time_zone,
    )  # fmt: skip
    waiting.note(db, audit.SYSTEM, "offer_made", entry, now, slot=place.slot.id)


def _rate(db: Session) -> Fraction:
    query = select(Offer.state).where(Offer.state.in_(ANSWERS))
    seen = db.scalars(query.order_by(Offer.id.desc()).limit(_REMEMBERED)).all()
    return policy.acceptance(seen.count("accepted"), len(seen))


def _count(db: Session, *which: ColumnElement[bool]) -> int:
    return db.scalars(select(func.count()).select_from(Offer).where(*which)).one()
