"""Holidays kept: sites closed by the worker and opened again, and how far it is with them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.models import (
    Appointment,
    ClinicSession,
    Holiday,
    Organisation,
    Site,
    SiteClosure,
    Slot,
    Staff,
)
from healthcert.models.place import CANCELLABLE
from healthcert.services import cancelling, resting, sessions
from healthcert.services.part import Part


class OfCountry(NamedTuple):
    """A holiday of the country, and how many sessions are planned then all the same."""

    day: date
    names: Mapping[str, str]  # by language
    sessions: int


def keep(db: Session, *, site_id: UUID, country: Country, now: datetime) -> int:
    """Close a site on its holidays, and open it where they are no longer its; return how many days.

    What is left to do is asked under the lock of the site: so nothing is done twice, and what
    somebody closed by hand stays closed.
    """
    site = db.get_one(Site, site_id, with_for_update=sessions.ALONE)
    found = resting.to_close(db, now=now, site_ids=[site_id])
    due = {day: of for _, day, of in reversed(found)}  # the first that was declared
    for day, of in due.items():
        cancelling.shut(db, site_id, day, staff=None, now=now, holiday_id=of)
    gone = resting.to_open(db, now=now, site_ids=[site_id])
    for closure in gone:
        if others := resting.at(db, site, closure.day):
            closure.holiday_id = others[0].id
        else:
            cancelling.reopen(db, closure, country, staff=None, now=now)
    return len(due) + len(gone)


def listed(
    db: Session, *, staff: Staff, reach: Select[UUID], first: date, part: Part
) -> Sequence[Row[Holiday, Organisation, int, int, int]]:
    """Return what was declared from a day on, with whose it is: in one's reach, or for one's sites.

    `sites` are those of one's own that it is for, `closed` those of them that are closed then,
    `people` who is still to be booked anew of them.
    """
    under = resting.under(Holiday.day >= first)
    theirs = (
        select(Site.id).where(*_mine(staff, reach), *resting.of_sites(under)).correlate(Holiday)
    )
    closed = select(func.count()).select_from(SiteClosure).where(SiteClosure.day == Holiday.day)
    people = (
        select(func.count())
        .select_from(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .where(ClinicSession.day == Holiday.day, ClinicSession.state == "cancelled")
        .where(Appointment.state == "booked", ClinicSession.site_id.in_(theirs))
    )
    query = (
        select(
            Holiday,
            Organisation,
            select(func.count()).select_from(theirs.subquery()).scalar_subquery().label("sites"),
            closed.where(SiteClosure.site_id.in_(theirs)).scalar_subquery().label("closed"),
            people.scalar_subquery().label("people"),
        )
        .join(Organisation, Organisation.id == Holiday.organisation_id)
        .where(Holiday.day >= first, Holiday.organisation_id.in_(reach) | theirs.exists())
    )
    return db.execute(part.of(query, Holiday.day, Holiday.id)).all()


def of_country(
    db: Session, *, country: Country, staff: Staff, reach: Select[UUID], first: date
) -> list[OfCountry]:
    """Return the country's holidays from a day on, with the sessions of one's sites on them."""
    days = sorted(day for day in country.holidays if day >= first)
    query = select(ClinicSession.day, func.count()).where(ClinicSession.day.in_(days))
    query = query.where(ClinicSession.state.in_(CANCELLABLE))
    mine = select(Site.id).where(*_mine(staff, reach))
    query = query.where(ClinicSession.site_id.in_(mine))
    planned = dict(db.execute(query.group_by(ClinicSession.day)).all())
    return [OfCountry(day, country.holidays[day], planned.get(day, 0)) for day in days]


def _mine(staff: Staff, reach: Select[UUID]) -> list[ColumnElement[bool]]:
    """Return that a site is one's own, or one of organisations."""
    own = staff.site_id is not None
    return [Site.id == staff.site_id if own else Site.organisation_id.in_(reach)]
