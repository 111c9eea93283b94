"""Exchange an appointment for another: the new place first, then the old one goes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from healthcert.errors import WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment
from healthcert.services import audit, booking, people, places


def move(
    db: Session,
    *,
    vault: Vault,
    appointment_id: UUID,
    person_id: UUID,
    slot_id: UUID,
    now: datetime,
    actor: audit.Actor | None = None,
    template: str = "moved",
) -> Appointment:
    """Exchange a person's appointment for one in another slot, by themselves or an `actor`.

    `template` are the words they are told with.

    Raises:
        NotFound: No such appointment of this person, or no such slot.
        WrongState: The appointment is no longer booked, or a slot has begun.
        NotEligible: That dose is not due on the new day, or no phase open then admits.
        SlotFull: No place is left; the old one is kept.
        TimesOverlap: The person has another appointment at the new time.
    """
    person = people.locked(db, person_id)
    old = booking.own(db, appointment_id=appointment_id, person_id=person_id)
    place = booking.place_of(db, slot_id)
    if old.state != "booked" or old.slot_id == slot_id:
        raise WrongState
    actor = actor or audit.Actor("citizen", person_id)
    booking.refuse_unfit(
        db, vault=vault, person=person, place=place, dose_number=old.dose_number,
        actor=actor, now=now,
    )  # fmt: skip
    places.lock(db, (old.slot_id, slot_id))
    pool = places.take_place(db, place.slot, places.pools_of(old.source, old.dose_number))
    places.give_back(db, old, "rescheduled")
    appointment = places.hold_place(
        db, person_id=person_id, slot=place.slot, pool=pool,
        programme_id=place.session.programme_id, dose_number=old.dose_number, source=old.source,
        now=now,
    )  # fmt: skip
    booking.tell(db, vault, person, template, appointment, place, now)
    booking.note(db, actor, "appointment_moved", appointment, now)
    return appointment
