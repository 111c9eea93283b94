"""Let go of what is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from healthcert.models import AccessCode, Appointment, Visit

CODES_ARE_KEPT = timedelta(days=1)  # `access.MOST_A_DAY` counts them
GIVEN_UP_AFTER = timedelta(hours=12)


def sweep(db: Session, *, now: datetime) -> int:
    """Delete ended visits and old codes, and give up who did not come; return how many rows.

    A person who was given up may still be received: the clinic can note their arrival.
    """
    visits = delete(Visit).where(Visit.expires_at <= now).returning(Visit.token_hash)
    codes = delete(AccessCode).where(AccessCode.recorded_at <= now - CODES_ARE_KEPT)
    missed = (
        update(Appointment)
        .where(Appointment.state == "booked", Appointment.ends_at <= now - GIVEN_UP_AFTER)
        .values(state="no_show")
    )
    return sum(
        len(db.execute(work.execution_options(synchronize_session=False)).all())
        for work in (visits, codes.returning(AccessCode.id), missed.returning(Appointment.id))
    )
