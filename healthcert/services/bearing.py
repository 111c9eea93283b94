"""How messages bear on their people: until when, and at whose site they are called to be told."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.models import Appointment, ClinicSession, Dose, Slot, Staff
from healthcert.services.wording import call_days


class Bearing(NamedTuple):
    """How a message bears on its person, where they may have to be called to be told."""

    until: datetime | None = None  # when it is over; None: only with the days of its kind
    site_id: UUID | None = None  # whose people call; None: where the person was last
    about_id: UUID | None = None  # the appointment or offer with whose end it is over before


JUST_TOLD = Bearing()


def called(db: Session, person_id: UUID, template: str, bears: Bearing, now: datetime) -> Bearing:
    """Return where and until when somebody is called for a template, at most its days; or never."""
    last = now + call_days(template)
    until = min(bears.until or last, last)
    if until <= now:
        return JUST_TOLD
    return Bearing(until, bears.site_id or _last_at(db, person_id), bears.about_id)


def _last_at(db: Session, person_id: UUID) -> UUID | None:
    """Return the site of somebody's latest appointment, or where their last dose was written."""
    booked = select(ClinicSession.site_id).join(Slot, Slot.session_id == ClinicSession.id)
    booked = booked.join(Appointment, Appointment.slot_id == Slot.id)
    booked = booked.where(Appointment.person_id == person_id)
    given = select(func.coalesce(Dose.site_id, Staff.site_id)).filter_by(person_id=person_id)
    given = given.join(Staff, Staff.id == Dose.recorded_by)
    latest = (
        booked.order_by(Appointment.starts_at.desc()), given.order_by(Dose.given_on.desc())
    )  # fmt: skip
    return db.scalar(select(func.coalesce(*(each.limit(1).scalar_subquery() for each in latest))))
