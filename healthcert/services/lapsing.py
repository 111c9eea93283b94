"""End offers that nobody answered, and those that nobody could take any more."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, ClinicSession, Offer, Slot, WaitEntry
from healthcert.models.appointment import ACTIVE
from healthcert.services import asking, audit, scenes, waiting, waits
from healthcert.services.bearing import Bearing
from healthcert.services.scenes import BOOKABLE

ENDED = 50  # offers that one transaction ends at most
_UNHEARD = 2  # offers without an answer, after which one is asked no more


def close(db: Session, *, vault: Vault, now: datetime) -> int:
    """End some offers whose time is over, or that nobody could take any more; return how many."""
    over = (Slot.starts_at <= now) | (Slot.places(("waiting",)) <= 0)
    booked = exists().where(
        Appointment.person_id == Offer.person_id, Appointment.state.in_(ACTIVE),
        Appointment.programme_id == ClinicSession.programme_id,
    )  # fmt: skip
    gone = over | booked | ClinicSession.state.not_in(BOOKABLE)
    query = (
        select(Offer, WaitEntry, gone)
        .join(WaitEntry, WaitEntry.id == Offer.wait_entry_id)
        .join(Slot, Slot.id == Offer.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(Offer.state == "open", gone | (Offer.ends_at <= now))
        .limit(ENDED)
        .with_for_update(skip_locked=True, of=[Offer, WaitEntry])
    )
    found = db.execute(query).all()
    for offer, entry, is_gone in found:
        if is_gone:
            waits.withdraw(db, vault=vault, offer=offer, now=now)
        else:
            _lapse(db, vault, offer, entry, now)
    return len(found)


def offered(db: Session) -> list[UUID]:
    """Return the slots of which places are offered just now."""
    return list(db.scalars(select(Offer.slot_id).filter_by(state="open").distinct()))


def judge_again(db: Session, *, vault: Vault, slot_id: UUID, now: datetime) -> None:
    """End the offers of a slot that would be refused now, by rules that have changed."""
    place = scenes.place_of(db, slot_id, states=None)
    query = select(Offer, WaitEntry).join(WaitEntry, WaitEntry.id == Offer.wait_entry_id)
    query = query.where(Offer.slot_id == slot_id, Offer.state == "open")
    query = query.with_for_update(skip_locked=True, of=[Offer, WaitEntry])
    asked = {entry: offer for offer, entry in db.execute(query)}
    verdicts = dict(asking.judged(db, vault=vault, place=place, waits=list(asked)))
    for entry, verdict in verdicts.items():
        if verdict == "over":
            waits.end(db, vault=vault, entry_id=entry.id, now=now)
        elif verdict == "unfit":
            waits.withdraw(db, vault=vault, offer=asked[entry], now=now)


def _lapse(db: Session, vault: Vault, offer: Offer, entry: WaitEntry, now: datetime) -> None:
    """End an offer that nobody answered; with the last of so many the wait ends too."""
    offer.state = "lapsed"
    db.flush()
    unheard = db.scalars(select(Offer.id).filter_by(wait_entry_id=entry.id, state="lapsed")).all()
    after = "lapsed" if len(unheard) >= _UNHEARD else "waiting"
    if waits.moved(db, entry.id, "offered", after) and after == "lapsed":
        place = scenes.place_of(db, offer.slot_id, states=None)
        at = Bearing(site_id=entry.site_id or place.session.site_id)
        waiting.tell(db, vault, entry, "waiting_lapsed", now, at)
    waiting.note(db, audit.SYSTEM, "offer_lapsed", entry, now, slot=offer.slot_id)
