"""Book everybody anew whose session was cancelled: one person a transaction, the new place first.

The rows themselves say who is left, so that it may stop and begin anywhere.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, NotEligible, Refusal, SlotFull
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, ClinicSession, Site, Slot
from healthcert.policy.offers import RADII
from healthcert.services import (
    audit,
    booking,
    knowledge,
    moving,
    people,
    places,
    resting,
    scenes,
    waiting,
)

NOTICE = timedelta(hours=2)  # a person needs to come somewhere else
NEAR = RADII[2]  # kilometres, within which they wait for another place
_WEEKS, _SITES = 8, 50  # how far is looked: ahead, and at how many of the nearest sites


def left(db: Session, *, now: datetime, limit: int) -> Sequence[Row[UUID, UUID, datetime]]:
    """Return who is still booked in cancelled sessions: session, appointment and when.

    They come in the order of their old times, whichever the site: where many close at once, none
    has its people placed before those of another.
    """
    query = (
        select(ClinicSession.id, Appointment.id, Appointment.starts_at)
        .join(Slot, Slot.session_id == ClinicSession.id)
        .join(Appointment, Appointment.slot_id == Slot.id)
        .where(ClinicSession.state == "cancelled", Appointment.state == "booked")
        .where(ClinicSession.day >= (now - timedelta(days=1)).date())
        .order_by(Appointment.starts_at, ClinicSession.id, Appointment.id)
    )
    return db.execute(query.limit(limit)).all()


def instead(
    db: Session, *, session_id: UUID, not_before: datetime, wanted: int
) -> list[tuple[UUID, datetime]]:
    """Return free slots of the same product and programme, each with its beginning, best first.

    Those of the first week go before those of the second; within a week those of the same site,
    then of the nearest, the soonest first. There are enough for so many people, if there are.
    What a holiday is about to close is left out: nobody loses a place to one twice.
    """
    old = db.get_one(ClinicSession, session_id)
    home = db.get_one(Site, old.site_id)
    shrinks = math.cos(math.radians(home.latitude))

    def far(site: Row[UUID, float, float]) -> float:
        return math.hypot(
            site.latitude - home.latitude, (site.longitude - home.longitude) * shrinks
        )

    sites = db.execute(select(Site.id, Site.latitude, Site.longitude))
    near = sorted(sites, key=lambda site: (site.id != home.id, far(site)))
    rank = {site.id: place for place, site in enumerate(near[:_SITES])}
    query = (
        select(Slot, ClinicSession.site_id, ClinicSession.day)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(ClinicSession.product_id == old.product_id, ClinicSession.site_id.in_(rank))
        .where(ClinicSession.programme_id == old.programme_id, Slot.places() > 0)
        .where(ClinicSession.state.in_(scenes.BOOKABLE))
    )
    due = resting.to_close(db, now=not_before, site_ids=rank)
    shut = {(site_id, day) for site_id, day, _holiday in due}
    found: list[tuple[UUID, datetime]] = []
    for week in range(_WEEKS):
        begins = not_before + timedelta(weeks=week)
        days = ClinicSession.day.between((begins - timedelta(days=1)).date(),
                                         (begins + timedelta(days=8)).date())  # fmt: skip
        span = (Slot.starts_at >= begins, Slot.starts_at < begins + timedelta(weeks=1))
        rows = [row for row in db.execute(query.where(days, *span)) if row[1:] not in shut]
        for slot, *_ in sorted(rows, key=lambda row: (rank[row[1]], row[0].starts_at)):
            found.append((slot.id, slot.starts_at))
            wanted -= slot.places()
        if wanted <= 0:
            break
    return found


def rebook(
    db: Session, *, vault: Vault, appointment_id: UUID, slots: list[tuple[UUID, datetime]],
    now: datetime,
) -> bool:  # fmt: skip
    """Move a person to their old time where it is there again, else to the first of some slots.

    None of those begins before their old time, or too soon to come there. Slots that are full are
    taken out of the list. Who fits in none, nor in any other, loses the appointment and is told so;
    return whether they have one. A dose that would now come too soon after this one moves with it.
    """
    old = db.get_one(Appointment, appointment_id)
    person = people.locked(db, old.person_id)
    old = booking.own(db, appointment_id=old.id, person_id=person.id)
    if old.state != "booked":
        return True  # they chose themselves meanwhile
    session_id = db.get_one(Slot, old.slot_id).session_id
    not_before = max(old.starts_at, now + NOTICE)
    new = _first(db, vault, old, _again(db, old, session_id), now, now, template="moved")
    if new is None:
        new = _first(db, vault, old, slots, not_before, now)
    if new is None:
        others = instead(db, session_id=session_id, not_before=not_before, wanted=1)
        new = _first(db, vault, old, others, not_before, now)
    if new is not None:
        _keep_apart(db, vault, new, now)
        return True
    places.give_back(db, old, "cancelled")
    place = scenes.place_of(db, old.slot_id, states=None)
    booking.tell(db, vault, person, "unplaced", old, place, now)
    booking.note(db, audit.SYSTEM, "appointment_unplaced", old, now)
    with suppress(AlreadyBooked, NotEligible), db.begin_nested():  # the next place near there
        waiting.join(
            db, vault=vault, person=person, programme_id=old.programme_id, site_id=place.site.id,
            within_km=NEAR, standby=False, actor=audit.SYSTEM, now=now,
        )  # fmt: skip
    return False


def _again(db: Session, old: Appointment, session_id: UUID) -> list[tuple[UUID, datetime]]:
    """Return free slots like one that was cancelled: there are some if its day was opened again."""
    gone = db.get_one(ClinicSession, session_id)
    query = (
        select(Slot)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(ClinicSession.site_id == gone.site_id, ClinicSession.day == gone.day)
        .where(ClinicSession.product_id == gone.product_id, Slot.starts_at == old.starts_at)
        .where(ClinicSession.programme_id == gone.programme_id, Slot.places() > 0)
        .where(ClinicSession.state.in_(scenes.BOOKABLE))
    )
    return [(slot.id, slot.starts_at) for slot in db.scalars(query)]


def _first(
    db: Session, vault: Vault, old: Appointment, slots: list[tuple[UUID, datetime]],
    not_before: datetime, now: datetime, template: str = "rebooked",
) -> Appointment | None:  # fmt: skip
    for slot in [each for each in slots if each[1] >= not_before]:
        try:
            with db.begin_nested():
                return moving.move(
                    db, vault=vault, appointment_id=old.id, person_id=old.person_id,
                    slot_id=slot[0], now=now, actor=audit.SYSTEM, template=template,
                )  # fmt: skip
        except SlotFull:
            slots.remove(slot)
        except Refusal:  # whatever it is: this slot is not for them
            continue
    return None


def _keep_apart(db: Session, vault: Vault, new: Appointment, now: datetime) -> None:
    """Move the next dose's appointment on, where it comes too soon after one that was moved."""
    query = select(Appointment).filter_by(person_id=new.person_id, programme_id=new.programme_id)
    later = db.scalar(query.filter_by(dose_number=new.dose_number + 1, state="booked"))
    if later is None:
        return
    place = scenes.place_of(db, later.slot_id, states=None)
    rule = knowledge.rule_of(db, place.product.id).series
    not_before = new.starts_at + timedelta(days=rule.min_interval)
    if later.starts_at >= not_before:
        return
    slots = instead(db, session_id=place.session.id, not_before=not_before, wanted=1)
    _first(db, vault, later, slots, not_before, now)
