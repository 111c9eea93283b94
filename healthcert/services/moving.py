"""Exchange an appointment for another: the new place first, then the old one goes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from healthcert.errors import NextDoseFull, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment
from healthcert.services import audit, booking, people, replanning, scenes


def move(
    db: Session, *, vault: Vault, appointment_id: UUID, person_id: UUID, slot_id: UUID,
    now: datetime,
    actor: audit.Actor | None = None, template: str = "moved",
) -> Appointment:  # fmt: skip
    """Exchange a person's appointment, booked or held, for another, by themselves or an `actor`.

    `template` are the words they are told with. The next dose that is booked moves along where it
    would not fit any more, to the nearest time that does, at its own site.

    Raises:
        NotFound: No such appointment of this person, or no such slot.
        WrongState: The appointment is no longer booked, or a slot has begun.
        NotEligible: That dose is not due on the new day, or no phase open then admits.
        SlotFull: No place is left; the old one is kept.
        NextDoseFull: None is left for the next dose; the old ones are kept.
        TimesOverlap: The person has another appointment at the new time.
    """
    person = people.locked(db, person_id)
    old = booking.own(db, appointment_id=appointment_id, person_id=person_id)
    scene = scenes.scene_of(db, vault, person, slot_id)
    place = scene.place
    if old.state not in ("booked", "held") or old.slot_id == slot_id:
        raise WrongState
    actor = actor or audit.Actor("citizen", person_id)
    booking.refuse_unfit(
        db, vault=vault, person=person, scene=scene, dose_number=old.dose_number,
        actor=actor, now=now, again=old,
    )  # fmt: skip
    was_held = old.state == "held"
    appointment = replanning.exchange(db, old, place, now)
    if not was_held:
        booking.tell(db, vault, person, template, appointment, place, now)
    booking.note(db, actor, "appointment_moved", appointment, now)
    # What the service moves by itself is followed by what it plans for the next dose.
    follows = actor == audit.SYSTEM or replanning.take_along(
        db, vault=vault, first=appointment, place=place, now=now, give_back=False
    )
    if not follows:
        raise NextDoseFull
    return appointment
