"""Where somebody stands who waits, and what is offered to them."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from healthcert.models import ClinicSession, Offer, Programme, Site, Slot, WaitEntry
from healthcert.models.waiting import IN_TURN, NOT_DRAWN
from healthcert.services.waiting import IN_LINE

FURTHEST = 1_000  # one is told how many are before one, up to here


class Waits(NamedTuple):
    """A wait as its person sees it, with what is offered just now, if anything is."""

    entry: WaitEntry
    programme: Programme
    site: Site | None  # None for any
    before: int  # people in front, `FURTHEST` for so many or more
    offer: Offer | None
    slot: Slot | None  # what is offered, and where
    place: Site | None


def of_person(db: Session, person_id: UUID) -> list[Waits]:
    """Return what a person waits for."""
    place = aliased(Site)
    query = (
        select(WaitEntry, Programme, Site, Offer, Slot, place)
        .join(Programme, Programme.id == WaitEntry.programme_id)
        .outerjoin(Site, Site.id == WaitEntry.site_id)
        .outerjoin(Offer, (Offer.wait_entry_id == WaitEntry.id) & (Offer.state == "open"))
        .outerjoin(Slot, Slot.id == Offer.slot_id)
        .outerjoin(ClinicSession, ClinicSession.id == Slot.session_id)
        .outerjoin(place, place.id == ClinicSession.site_id)
        .where(WaitEntry.person_id == person_id, WaitEntry.state.in_(IN_LINE))
        .order_by(WaitEntry.id)
    )
    return [Waits(*row[:3], before(db, row[0]), *row[3:]) for row in db.execute(query)]


def before(db: Session, entry: WaitEntry) -> int:
    """Return how many are before somebody who could be given the same places."""
    here = tuple_(entry.turn_on, entry.rank or NOT_DRAWN, entry.recorded_at, entry.id)
    query = select(WaitEntry.id).where(
        WaitEntry.programme_id == entry.programme_id, WaitEntry.state.in_(IN_LINE),
        tuple_(WaitEntry.turn_on, IN_TURN, WaitEntry.recorded_at, WaitEntry.id) < here,
    )  # fmt: skip
    if entry.site_id:
        near = WaitEntry.within_km.is_not(None) | (WaitEntry.site_id == entry.site_id)
        query = query.where(WaitEntry.site_id.is_(None) | near)
    return db.scalars(select(func.count()).select_from(query.limit(FURTHEST).subquery())).one()
