"""Let go of what is over."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from healthcert.models import Appointment, AuditEvent
from healthcert.services import audit, calls, limits, places, retention

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
    forgotten = _forgotten(db, now)
    swept = sum(retention.apply(db, kind, now=now) for kind in retention.SWEPT)
    swept += places.expire(db, now=now) + calls.end(db, now=now)
    return len(given_up) + forgotten + swept + limits.sweep(db, now=now)


def _forgotten(db: Session, now: datetime) -> int:
    """Give up who came and was not heard of for as long: else they could never book again."""
    since, event = now - GIVEN_UP_AFTER, AuditEvent
    lately = select(event.id).where(event.subject_kind == "appointment", event.act == "arrived")
    lately = lately.where(event.subject_id == Appointment.id, event.recorded_at > since)
    left = update(Appointment).where(Appointment.state == "arrived", Appointment.ends_at <= since)
    left = (
        left.where(~lately.exists())
        .values(state="not_vaccinated", why_not="left")
        .returning(Appointment)
    )
    gone = db.scalars(left.execution_options(synchronize_session=False)).all()
    for one in gone:
        audit.done(db, "not_vaccinated", one, {"reason": "left"}, by=None, now=now)
    return len(gone)
