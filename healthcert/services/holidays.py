"""Holidays that people declare: for the sites of an organisation and of those below it.

Declaring and withdrawing write one row each. Which sites are still to be closed or opened then is
a query: the worker does it site by site (`cancelling.keep_holidays`), and may end anywhere.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, ColumnElement, Row, Select, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import (
    Appointment,
    ClinicSession,
    Holiday,
    Instant,
    Organisation,
    Site,
    SiteClosure,
    Slot,
    Staff,
)
from healthcert.models.broken import refusing
from healthcert.models.place import CANCELLABLE
from healthcert.services import audit, delegating
from healthcert.services.cells import LANGUAGES
from healthcert.services.part import Part

ACT = "declare_holiday"
_SEEN_BY = "plan_sessions"
FARTHEST = timedelta(days=731)  # ahead, as plans reach
_LONGEST = 100  # letters of a name
_DAY = timedelta(days=1)
_ONE = ("one_holiday_of_region", "one_holiday_of_organisation")


class Effect(NamedTuple):
    """What a holiday closes: sites that are open then, their sessions, and who is booked there."""

    sites: int
    sessions: int
    people: int


class OfCountry(NamedTuple):
    """A holiday of the country, and how many sessions are planned then all the same."""

    day: date
    names: Mapping[str, str]  # by language
    sessions: int


def bodies(db: Session, *, staff: Staff, now: datetime) -> Sequence[Organisation]:
    """Return the organisations for which somebody may declare a holiday, those above first."""
    reach = delegating.within(db, staff=staff, act=ACT, now=now)
    query = select(Organisation).where(Organisation.id.in_(reach))
    return db.scalars(query.order_by(Organisation.level, Organisation.code)).all()


def refuse_wrong(
    db: Session, wanted: Holiday, *, country: Country, staff: Staff, now: datetime
) -> None:
    """Refuse a holiday that cannot be.

    Raises:
        BadInput: Some of it cannot be, or the day is over by the clock of every site it is for.
        NotFound: No such organisation in one's reach.
    """
    reach = delegating.within(db, staff=staff, act=ACT, now=now)
    if wanted.organisation_id not in db.scalars(reach).all():
        raise NotFound
    wrong = {
        f"name_{lang}": "too_long" for lang, name in wanted.names.items() if len(name) > _LONGEST
    }
    if not wanted.names.keys() <= set(LANGUAGES) or not all(wanted.names.values()):
        wrong["names"] = "not_a_language"
    if not wanted.names.get("en"):
        wrong["name_en"] = "missing"
    if wanted.region is not None and wanted.region not in country.regions:
        wrong["region"] = "not_a_choice"
    zones = select(Site.time_zone).where(*_at(wanted)).distinct()
    days = [_here(zone, now) for zone in db.scalars(zones).all() or [country.time_zone]]
    if wanted.day < min(days):
        wrong["day"] = "too_long_ago"
    if wanted.day > min(days) + FARTHEST:
        wrong["day"] = "too_far"
    if wrong:
        raise BadInput(wrong)


def effect(db: Session, wanted: Holiday) -> Effect:
    """Return what a holiday would close."""
    its, slot, booked = ClinicSession, Slot, Appointment
    open_then = (its.site_id == Site.id) & (its.day == wanted.day) & its.state.in_(CANCELLABLE)
    query = (
        select(func.count(Site.id.distinct()), func.count(its.id.distinct()), func.count(booked.id))
        .select_from(Site)
        .outerjoin(its, open_then)
        .outerjoin(slot, slot.session_id == its.id)
        .outerjoin(booked, (booked.slot_id == slot.id) & (booked.state == "booked"))
        .where(*_at(wanted), ~_closed(literal(wanted.day)))
    )
    sites, sessions, people = db.execute(query).one()
    return Effect(sites, sessions, people)


def declare(
    db: Session, wanted: Holiday, *, country: Country, staff: Staff, now: datetime
) -> Holiday:
    """Return a holiday that is now on record; no session is planned on it from now on.

    Raises:
        BadInput: As `refuse_wrong`; or there is one of that organisation, region and day.
        NotFound: No such organisation in one's reach.
    """
    refuse_wrong(db, wanted, country=country, staff=staff, now=now)
    wanted.recorded_at, wanted.declared_by = now, staff.id
    twice = BadInput({"day": "declared_already"})
    with refusing(db, dict.fromkeys(_ONE, twice)):
        db.add(wanted)
    audit.done(db, "holiday_declared", wanted, _told(wanted), by=staff, now=now)
    return wanted


def one(db: Session, *, holiday_id: UUID, staff: Staff, now: datetime) -> Holiday:
    """Return a holiday that somebody may withdraw, locked.

    Raises:
        NotFound: None of that identifier was declared within one's reach.
        WrongState: It is withdrawn, or over everywhere.
    """
    reach = delegating.within(db, staff=staff, act=ACT, now=now)
    query = select(Holiday).where(Holiday.id == holiday_id, Holiday.organisation_id.in_(reach))
    found = db.scalar(query)
    if found is None:
        raise NotFound
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


def listed(
    db: Session, *, staff: Staff, first: date, now: datetime, part: Part
) -> Sequence[Row[Holiday, Organisation, int, int, int]]:
    """Return what was declared from a day on, with whose it is: in one's reach, or for one's sites.

    `sites` are those of one's own that it is for, `closed` those of them that are closed then,
    `people` who is still to be booked anew of them.
    """
    mine, reach = _mine(db, staff, now), delegating.within(db, staff=staff, act=_SEEN_BY, now=now)
    under = _under(Holiday.day >= first)
    theirs = select(Site.id).where(Site.id.in_(mine), *_for(under)).where(under.c.id == Holiday.id)
    theirs = theirs.correlate(Holiday)
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
    db: Session, *, country: Country, staff: Staff, first: date, now: datetime
) -> list[OfCountry]:
    """Return the country's holidays from a day on, with the sessions of one's sites on them."""
    days = sorted(day for day in country.holidays if day >= first)
    query = select(ClinicSession.day, func.count()).where(ClinicSession.day.in_(days))
    query = query.where(ClinicSession.state.in_(CANCELLABLE))
    query = query.where(ClinicSession.site_id.in_(_mine(db, staff, now)))
    planned = dict(db.execute(query.group_by(ClinicSession.day)).all())
    return [OfCountry(day, country.holidays[day], planned.get(day, 0)) for day in days]


def at(db: Session, site: Site, day: date | None = None) -> Sequence[Holiday]:
    """Return the holidays that are declared for a site and not withdrawn; or those of a day."""
    line = delegating.line_of(db, site.organisation_id)
    query = select(Holiday).where(Holiday.organisation_id.in_(line), Holiday.withdrawn_at.is_(None))
    query = query.where(Holiday.region.is_(None) | (Holiday.region == site.region))
    query = query.where(Holiday.day == day) if day else query
    return db.scalars(query.order_by(Holiday.id)).all()


def to_close(
    db: Session, *, now: datetime, site_ids: Collection[UUID] | None = None
) -> Sequence[Row[UUID, date, UUID]]:
    """Return what is still to be closed, at some sites or at all: site, day and holiday, by site.

    This is asked every second: without a holiday to come it reads nothing of sites.
    """
    under = _under(Holiday.withdrawn_at.is_(None), Holiday.day >= (now - _DAY).date())
    query = select(Site.id, Holiday.day, Holiday.id).where(Holiday.id == under.c.id, *_for(under))
    query = query.where(*_of(site_ids), ~_closed(Holiday.day), _to_come(now))
    return db.execute(query.order_by(Site.id, Holiday.id)).all()


def to_open(
    db: Session, *, now: datetime, site_ids: Collection[UUID] | None = None
) -> Sequence[SiteClosure]:
    """Return the closures of days to come of which the holiday was withdrawn, by site."""
    query = select(SiteClosure).join(Site, Site.id == SiteClosure.site_id)
    query = query.join(Holiday, Holiday.id == SiteClosure.holiday_id)
    query = query.where(Holiday.withdrawn_at.is_not(None), Holiday.day >= (now - _DAY).date())
    query = query.where(*_of(site_ids), _to_come(now))
    return db.scalars(query.order_by(Site.id, SiteClosure.day)).all()


def _told(about: Holiday) -> dict[str, audit.Detail]:
    return {"of": about.organisation_id, "region": about.region, "day": about.day.isoformat()}


def _here(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def _mine(db: Session, staff: Staff, now: datetime) -> Select[UUID]:
    if staff.site_id is not None:
        return select(Site.id).where(Site.id == staff.site_id)
    reach = delegating.within(db, staff=staff, act=_SEEN_BY, now=now)
    return select(Site.id).where(Site.organisation_id.in_(reach))


def _at(wanted: Holiday) -> list[ColumnElement[bool]]:
    """Return which sites one holiday is for."""
    bodies = Site.organisation_id.in_(delegating.below([wanted.organisation_id]))
    return [bodies, *([] if wanted.region is None else [Site.region == wanted.region])]


def _under(*which: ColumnElement[bool]) -> CTE:
    """Return for which organisations some holidays are: pairs."""
    own = select(Holiday.id, Holiday.region, Holiday.organisation_id.label("of")).where(*which)
    under = own.cte(recursive=True)
    below = select(under.c.id, under.c.region, Organisation.id)
    return under.union_all(below.join(Organisation, Organisation.parent_id == under.c.of))


def _for(under: CTE) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    region = under.c.region.is_(None) | (under.c.region == Site.region)
    return Site.organisation_id == under.c.of, region


def _of(site_ids: Collection[UUID] | None) -> list[ColumnElement[bool]]:
    return [] if site_ids is None else [Site.id.in_(site_ids)]


def _closed(day: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column or a literal
    return exists().where(SiteClosure.site_id == Site.id, SiteClosure.day == day)


def _to_come(now: datetime) -> ColumnElement[bool]:
    """Return that the day of a holiday is not over by the clock of a site."""
    local = func.date(func.timezone(Site.time_zone, literal(now, Instant)))
    return or_(Holiday.day > (now + _DAY).date(), Holiday.day >= local)
