"""Remind people of their appointments, and offer another to those who missed one.

The appointment itself keeps of what its person was told: one that was cancelled or moved is
never reminded of, and nobody is told twice. Nobody is told at night.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, ClinicSession, Person, Site, Slot
from healthcert.policy.offers import Quiet, night
from healthcert.services import booking, scenes

_AT_ONCE = 500
_BOOKED_BEFORE = timedelta(days=1)  # who booked since then knows


class _Step(NamedTuple):
    """What is told of appointments in a state, from when on, seen from their end, and how late."""

    reminded: int
    state: str
    after_end: timedelta
    template: str
    at_most_late: timedelta


_STEPS = (
    _Step(1, "booked", timedelta(days=-3), "reminder", timedelta(hours=12)),
    _Step(2, "booked", timedelta(days=-1), "reminder", timedelta(hours=12)),
    _Step(3, "no_show", timedelta(), "missed", timedelta(days=3)),
)


def remind(db: Session, *, vault: Vault, quiet: Quiet, now: datetime) -> int:
    """Tell whoever is to be told now, some at a time; return how many.

    In the `quiet` hours of its site nothing is told of an appointment.
    """
    zones = db.scalars(select(Site.time_zone).distinct()).all()
    by_day = [zone for zone in zones if night(now, quiet, zone) is None]
    return sum(_told(db, vault, step, by_day, now) for step in _STEPS if by_day)


def _told(db: Session, vault: Vault, step: _Step, zones: Sequence[str], now: datetime) -> int:
    latest = now - step.after_end
    query = (
        select(Appointment, Person)
        .join(Person, Person.id == Appointment.person_id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Site, Site.id == ClinicSession.site_id)
        .where(Appointment.state == step.state, Appointment.reminded < step.reminded)
        .where(Appointment.ends_at.between(latest - step.at_most_late, latest))
        .where(Appointment.recorded_at <= now - _BOOKED_BEFORE, Site.time_zone.in_(zones))
        .order_by(Appointment.ends_at)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True, of=Appointment)
        .execution_options(populate_existing=True)
    )
    found = db.execute(query).all()
    for appointment, person in found:
        appointment.reminded = step.reminded
        place = scenes.place_of(db, appointment.slot_id, states=None)
        booking.tell(db, vault, person, step.template, appointment, place, now)
    return len(found)
