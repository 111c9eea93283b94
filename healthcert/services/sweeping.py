"""Let go of what is over."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from healthcert.models import Appointment
from healthcert.services import limits, places, retention

GIVEN_UP_AFTER = timedelta(hours=12)


def sweep(db: Session, *, now: datetime) -> int:
    """Delete what has ended, end holds that are over, give up who did not come; return the rows.

    A person who was given up may still be received: the clinic can note their arrival.
    """
    missed = (
        update(Appointment)
        .where(Appointment.state == "booked", Appointment.ends_at <= now - GIVEN_UP_AFTER)
        .values(state="no_show")
        .returning(Appointment.id)
    )
    given_up = db.execute(missed.execution_options(synchronize_session=False)).all()
    swept = sum(retention.apply(db, kind, now=now) for kind in retention.SWEPT)
    return len(given_up) + places.expire(db, now=now) + swept + limits.sweep(db, now=now)
