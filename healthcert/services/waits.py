"""Waits moved on by what happens elsewhere: ended, led on, or kept in step with their phases."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from healthcert.gateways.vault import Vault
from healthcert.models import Offer, Person, Phase, Programme, WaitEntry
from healthcert.services import asking, audit, history, scenes, waiting
from healthcert.services.waiting import IN_LINE


def end(db: Session, *, vault: Vault, entry_id: UUID, now: datetime) -> None:
    """End the wait of somebody who has a place, or their dose, with what is offered."""
    query = select(WaitEntry).where(WaitEntry.id == entry_id, WaitEntry.state.in_(IN_LINE))
    query = query.with_for_update().execution_options(populate_existing=True)
    entry = db.scalar(query)
    if entry is None:
        return
    theirs = update(Offer).where(Offer.wait_entry_id == entry_id, Offer.state == "open")
    for slot_id in db.scalars(theirs.values(state="withdrawn").returning(Offer.slot_id)).all():
        waiting.note(db, audit.SYSTEM, "offer_withdrawn", entry, now, slot=slot_id)
    entry.state = "placed"
    db.flush()
    waiting.tell(db, vault, entry, "waiting_left", now)
    waiting.note(db, audit.SYSTEM, "waiting_ended", entry, now)


def withdraw(db: Session, *, vault: Vault, offer: Offer, now: datetime) -> None:
    """End an offer whose place is gone, or that fits no more; the wait goes on where it was."""
    offer.state = "withdrawn"
    db.flush()
    entry = db.get_one(WaitEntry, offer.wait_entry_id)
    if moved(db, entry.id, "offered", "waiting"):
        waiting.tell(db, vault, entry, "offer_gone", now)
    waiting.note(db, audit.SYSTEM, "offer_withdrawn", entry, now, slot=offer.slot_id)


def moved(db: Session, entry_id: UUID, before: str, state: str) -> bool:
    """Move a wait on from a state, if it still is in it; say whether it was."""
    mine = update(WaitEntry).where(WaitEntry.id == entry_id, WaitEntry.state == before)
    gone = mine.values(state=state).returning(WaitEntry.id)
    return db.execute(gone).one_or_none() is not None


def follow(db: Session, *, most: int, after: UUID | None = None) -> UUID | None:
    """Let the next piece of those who wait go with their phase, brought forward or put off.

    A rank stays. Of a million in one transaction, each would wait a minute to leave or to answer an
    offer. Return after whom to go on, by the identifier of a wait; None where nobody is left.
    """
    query = select(WaitEntry.id).where(WaitEntry.state.in_(IN_LINE)).order_by(WaitEntry.id)
    piece = db.scalars((query.where(WaitEntry.id > after) if after else query).limit(most)).all()
    if not piece:
        return None
    its = Programme.id == WaitEntry.programme_id
    phase = select(Phase.opens_on).join(Programme, Programme.knowledge_id == Phase.knowledge_id)
    opens = phase.where(its, Phase.code == WaitEntry.phase).scalar_subquery()
    theirs = update(WaitEntry).where(WaitEntry.id.between(piece[0], piece[-1]))
    theirs = theirs.where(WaitEntry.state.in_(IN_LINE), WaitEntry.rank.is_(None))
    theirs = theirs.where(WaitEntry.turn_on != opens).values(turn_on=opens)
    db.execute(theirs.execution_options(synchronize_session=False))
    return piece[-1] if len(piece) == most else None


def versions(db: Session) -> dict[UUID, UUID]:
    """Return the version of its file that each programme goes by."""
    return {
        row.id: row.knowledge_id for row in db.execute(select(Programme.id, Programme.knowledge_id))
    }


def after_dose(db: Session, *, vault: Vault, persons: Collection[Person], now: datetime) -> None:
    """End the waits of people who were given what they wait for, and offers that fit no more.

    To be called when what counts of their doses has changed, or a clinician put them off.
    """
    known = {person.id: person for person in persons}
    query = select(WaitEntry, Offer).where(WaitEntry.person_id.in_(known))
    still = (Offer.wait_entry_id == WaitEntry.id) & (Offer.state == "open")
    query = query.where(WaitEntry.state.in_(IN_LINE)).outerjoin(Offer, still)
    for entry, offer in db.execute(query.order_by(WaitEntry.id)).all():
        disease = db.get_one(Programme, entry.programme_id).disease
        past = history.past_doses(db, person_ids=[entry.person_id], disease=disease)
        if asking.had_it(past[entry.person_id], entry):
            end(db, vault=vault, entry_id=entry.id, now=now)
        elif offer is not None:
            place = scenes.place_of(db, offer.slot_id, states=None)
            if asking.dose_for(db, vault, known[entry.person_id], place) is None:
                withdraw(db, vault=vault, offer=offer, now=now)
