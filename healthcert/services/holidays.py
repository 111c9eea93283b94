"""Holidays that people declare: for the sites of an organisation and of those below it.

Declaring and withdrawing write one row each; the worker does the rest (`services.keeping`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotFound, WrongState, there
from healthcert.models import (
    Appointment,
    ClinicSession,
    Holiday,
    Organisation,
    Site,
    Slot,
    Staff,
)
from healthcert.models.broken import refusing
from healthcert.models.place import CANCELLABLE
from healthcert.services import audit, delegating, resting
from healthcert.services.cells import LANGUAGES
from healthcert.services.tidying import wrong_name

FARTHEST = timedelta(days=731)  # ahead, as plans reach
_DAY = timedelta(days=1)
_ONE = ("one_holiday_of_region", "one_holiday_of_organisation")


class Effect(NamedTuple):
    """What a holiday closes: sites that are open then, their sessions, and who is booked there."""

    sites: int
    sessions: int
    people: int


def reach(db: Session, *, staff: Staff, now: datetime) -> Select[UUID]:
    """Return the query of the organisations for which somebody may declare a holiday."""
    return delegating.within(db, staff=staff, act="declare_holiday", now=now)


def bodies(db: Session, *, reach: Select[UUID]) -> Sequence[Organisation]:
    """Return organisations, those above first."""
    query = select(Organisation).where(Organisation.id.in_(reach))
    return db.scalars(query.order_by(Organisation.level, Organisation.code)).all()


def effect(
    db: Session, wanted: Holiday, *, country: Country, staff: Staff, now: datetime
) -> Effect:
    """Return what a holiday would close; refuse as `declare`, but for one that is there."""
    _refuse_wrong(db, wanted, country=country, staff=staff, now=now)
    its, slot, booked = ClinicSession, Slot, Appointment
    open_then = (its.site_id == Site.id) & (its.day == wanted.day) & its.state.in_(CANCELLABLE)
    query = (
        select(func.count(Site.id.distinct()), func.count(its.id.distinct()), func.count(booked.id))
        .select_from(Site)
        .outerjoin(its, open_then)
        .outerjoin(slot, slot.session_id == its.id)
        .outerjoin(booked, (booked.slot_id == slot.id) & (booked.state == "booked"))
        .where(*_at(wanted), ~resting.closed(literal(wanted.day)))
    )
    sites, sessions, people = db.execute(query).one()
    return Effect(sites, sessions, people)


def declare(
    db: Session, wanted: Holiday, *, country: Country, staff: Staff, now: datetime
) -> Holiday:
    """Return a holiday that is now on record; no session is planned on it from now on.

    Raises:
        BadInput: Some of it cannot be, its day is over by the clock of every site it is for, or
            there is one of that organisation, region and day.
        NotFound: No such organisation in one's reach.
    """
    _refuse_wrong(db, wanted, country=country, staff=staff, now=now)
    wanted.recorded_at, wanted.declared_by = now, staff.id
    twice = BadInput({"day": "declared_already"})
    with refusing(db, dict.fromkeys(_ONE, twice)):
        db.add(wanted)
    audit.done(db, "holiday_declared", wanted, _told(wanted), by=staff, now=now)
    return wanted


def one(db: Session, *, holiday_id: UUID, staff: Staff, now: datetime) -> Holiday:
    """Return a holiday that somebody may withdraw.

    Raises:
        NotFound: None of that identifier was declared within one's reach.
        WrongState: It is withdrawn, or over everywhere.
    """
    within = Holiday.organisation_id.in_(reach(db, staff=staff, now=now))
    found = there(db.scalar(select(Holiday).where(Holiday.id == holiday_id, within)))
    if found.withdrawn_at or found.day < (now - _DAY).date():
        raise WrongState
    return found


def withdraw(db: Session, *, holiday_id: UUID, staff: Staff, now: datetime) -> None:
    """Withdraw a holiday: the worker opens again what was closed by it alone.

    Raises:
        NotFound: None of that identifier was declared within one's reach.
        WrongState: It is withdrawn, or over everywhere.
    """
    db.get(Holiday, holiday_id, with_for_update={"key_share": True})
    found = one(db, holiday_id=holiday_id, staff=staff, now=now)
    found.withdrawn_at, found.withdrawn_by = now, staff.id
    audit.done(db, "holiday_withdrawn", found, _told(found), by=staff, now=now)


def _refuse_wrong(
    db: Session, wanted: Holiday, *, country: Country, staff: Staff, now: datetime
) -> None:
    if wanted.organisation_id not in db.scalars(reach(db, staff=staff, now=now)).all():
        raise NotFound
    wrong: dict[str, str] = {}
    if wanted.region is not None and wanted.region not in country.regions:
        wrong["region"] = "not_a_choice"
    zones = select(Site.time_zone).where(*_at(wanted)).distinct()
    days = [_here(zone, now) for zone in db.scalars(zones).all() or [country.time_zone]]
    if not min(days) <= wanted.day <= min(days) + FARTHEST:
        wrong["day"] = "too_long_ago" if wanted.day < min(days) else "too_far"
    wrong |= _wrong_names(wanted.names)
    if wrong:
        raise BadInput(wrong)


def _wrong_names(names: Mapping[str, str]) -> dict[str, str]:
    wrong = {}
    for lang, name in ({"en": ""} | dict(names)).items():
        if lang not in LANGUAGES:
            wrong[f"name_{lang}"] = "not_a_choice"
        elif "\0" in name:  # for which PostgreSQL has no place
            wrong[f"name_{lang}"] = "not_valid"
        elif code := wrong_name(name):
            wrong[f"name_{lang}"] = code
    return wrong


def _told(about: Holiday) -> dict[str, audit.Detail]:
    return {"of": about.organisation_id, "region": about.region, "day": about.day.isoformat()}


def _here(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def _at(wanted: Holiday) -> list[ColumnElement[bool]]:
    """Return which sites one holiday is for."""
    bodies = Site.organisation_id.in_(delegating.below([wanted.organisation_id]))
    return [bodies, *([] if wanted.region is None else [Site.region == wanted.region])]
