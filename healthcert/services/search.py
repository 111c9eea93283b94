"""Find free places, the nearest first.

Sites are asked for in rings around a point, so that a country's far end is never reckoned; each
tells its first free slots by ids, and only those that are shown are read. The same SQL runs on
both engines.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    extract,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from healthcert.models import ClinicSession, Product, Site, Slot
from healthcert.policy.ages import reaches
from healthcert.services import knowledge
from healthcert.services.booking import BOOKABLE, place_of
from healthcert.services.places import pools_of

_EARTH_KM = 6371.0
_RINGS_KM = (20.0, 80.0, 320.0, 1280.0, 21_000.0)  # the last holds the whole earth
_DEGREE_KM = math.radians(_EARTH_KM)
_A_SITE_AT_MOST = 5  # slots of one site among the nearest, so that others show too
_DAY = 24 * 60  # minutes


class Needs(NamedTuple):
    """What somebody needs of a site, and of the time of day."""

    step_free: bool = False
    language: str | None = None  # spoken there, ISO 639-1
    female_vaccinator: bool = False
    facilities: tuple[str, ...] = ()  # of `place.FACILITIES`, all of them
    hours: tuple[time, time] | None = None  # begins from .. before, on the site's clock


_NONE = Needs()


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot with places left, or adjacent slots of one session that take a party together."""

    slot_ids: tuple[UUID, ...]  # what to book, one for each person
    site: Site  # where
    distance_km: float  # as the crow flies
    day: date  # the day at the site
    starts_at: datetime  # aware
    ends_at: datetime  # aware; of the last of the slots
    places: int  # how many are left in these slots
    product: str  # what is given, its name
    min_age: int  # years

    @property
    def slot_id(self) -> UUID:
        """The slot of the first person."""
        return self.slot_ids[0]


class _Wanted(NamedTuple):
    """What a slot must be."""

    programme_id: UUID
    now: datetime
    pools: Collection[str]
    places: int
    hours: tuple[time, time] | None = None
    days: tuple[date, date] | None = None
    product_id: UUID | None = None
    ages: Collection[int] | None = None  # least ages of products that the person has reached


def nearest_free(  # noqa: PLR0913 - all that one may ask for
    db: Session,
    *,
    programme_id: UUID,
    near: tuple[float, float],
    now: datetime,
    limit: int,
    birth_date: str | None = None,
    dose_number: int = 1,
    places: int = 1,
    needs: Needs = _NONE,
    days: tuple[date, date] | None = None,
    site_id: UUID | None = None,
    product_id: UUID | None = None,
    source: str = "web",
) -> list[FreeSlot]:
    """Return free slots of the nearest sites that have any, each site's earliest, a few a site.

    `near` is latitude and longitude in degrees; `days` the first and the last. Slots that have
    begun are left out, and products that somebody of the birth date is too young for. Who books
    by `source`, or looks for a second dose, also sees the places kept for that. A party of
    `places` sees slots that begin a stretch of adjacent ones which takes it.
    """
    ages = None if birth_date is None else _ages_reached(db, birth_date, now)
    wanted = _Wanted(
        programme_id, now, pools_of(source, dose_number), places, needs.hours, days, product_id,
        ages,
    )  # fmt: skip
    sites = _sites(near, _starts(wanted)).where(*_fit(needs))
    if site_id:
        sites = sites.where(Site.id == site_id)
    found: list[tuple[Site, list[UUID]]] = []
    for ring in pairwise((0.0, *_RINGS_KM)):
        left = limit - sum(len(ids) for _site, ids in found)
        if left > 0:
            found += _ring(db, sites, near, ring, left)
    return _offers(db, wanted, found, near)[:limit]


def second_dose(
    db: Session, *, slot_id: UUID, dose_number: int, places: int = 1, now: datetime,
    source: str = "web",
) -> FreeSlot | None:  # fmt: skip
    """Return where those who get a dose in a slot could get the next one of the same product.

    It is at the same site, on the first day from the interval to aim at on, else from the least
    one, at the nearest time of day. None where that dose ends its series, or all is full.
    `dose_number` is that of the dose given in the slot.

    Raises:
        NotFound: No such slot is open for booking.
    """
    first = place_of(db, slot_id)
    slot, session, site = first.slot, first.session, first.site
    rule = knowledge.rule_of(db, session.product_id).series
    if dose_number >= rule.doses:
        return None
    last = date.max if rule.max_interval is None else session.day + timedelta(rule.max_interval)
    for interval in (rule.target_interval, rule.min_interval):
        wanted = _Wanted(
            session.programme_id, now, pools_of(source, dose_number + 1), places,
            days=(session.day + timedelta(interval), last), product_id=session.product_id,
        )  # fmt: skip
        starts = _starts(wanted, session.site_id).subquery()
        first_day = select(func.min(starts.c.day)).scalar_subquery()
        rows = db.execute(select(starts).where(starts.c.day == first_day)).all()
        if rows:
            nearest = min(rows, key=_apart(slot.starts_at, site.time_zone))
            return _offers(db, wanted, [(site, [nearest.id])], (site.latitude, site.longitude))[0]
    return None


def _apart(moment: datetime, zone: str) -> Any:  # noqa: ANN401 - a key to sort rows by
    """Return what tells how far a row's time of day is from that of a moment; then its id."""

    def minutes(at: datetime) -> int:
        local = at.astimezone(ZoneInfo(zone))
        return 60 * local.hour + local.minute

    return lambda row: (abs(minutes(row.starts_at) - minutes(moment)), row.starts_at, row.id)


def _fit(needs: Needs) -> Iterator[ColumnElement[bool]]:
    """Give what a site must be; lists of codes are searched in their JSON text."""
    if needs.step_free:
        yield Site.step_free.is_(True)
    if needs.female_vaccinator:
        yield Site.female_vaccinator.is_(True)
    if needs.language:
        yield cast(Site.languages, String).contains(f'"{needs.language}"', autoescape=True)
    for facility in needs.facilities:
        yield cast(Site.facilities, String).contains(f'"{facility}"', autoescape=True)


def _sites(near: tuple[float, float], starts: Select[Any]) -> Select[Any]:
    """Return the query of sites with the first free slots of each, the nearest first."""
    few = starts.limit(_A_SITE_AT_MOST).subquery()
    ids = select(func.aggregate_strings(cast(few.c.id, String), " ")).scalar_subquery()
    away = _haversine(near).label("away")
    return select(Site, away, ids.label("ids")).order_by(away, Site.id)


def _ring(
    db: Session, sites: Select[Any], near: tuple[float, float], ring: tuple[float, float],
    limit: int,
) -> list[tuple[Site, list[UUID]]]:  # fmt: skip
    """Return sites of a ring of km that have free slots, the nearest first, with those."""
    inner, outer = (math.sin(km / _EARTH_KM / 2) ** 2 if km < _RINGS_KM[-1] else 2 for km in ring)
    away = _haversine(near)
    these = sites.where(*_box(near, ring[1]), away >= inner, away < outer).subquery()
    rows = db.execute(
        select(aliased(Site, these), these.c.ids)
        .where(these.c.ids.is_not(None))
        .order_by(these.c.away, these.c.id)
        .limit(limit)
    )
    return [(site, [UUID(each) for each in told.split()]) for site, told in rows]


def _haversine(near: tuple[float, float]) -> ColumnElement[float]:
    """Return the square of the sine of half the angle between a site and a point."""
    here = math.radians(near[0])
    north = func.sin((func.radians(Site.latitude) - here) / 2)
    east = func.sin((func.radians(Site.longitude) - math.radians(near[1])) / 2)
    return north * north + math.cos(here) * func.cos(func.radians(Site.latitude)) * east * east


def _box(near: tuple[float, float], km: float) -> Iterator[ColumnElement[bool]]:
    """Give a box in degrees around a circle; where it holds a pole or the date line, a band."""
    latitude, longitude = near
    tall = 1.001 * km / _DEGREE_KM
    yield Site.latitude.between(latitude - tall, latitude + tall)
    if abs(latitude) + tall < 90:  # noqa: PLR2004 - the pole
        angle, slant = math.radians(tall), math.cos(math.radians(latitude))
        wide = math.degrees(math.asin(min(1.0, math.sin(min(angle, math.pi / 2)) / slant)))
        if abs(longitude) + wide < 180:  # noqa: PLR2004 - the date line
            yield Site.longitude.between(longitude - wide, longitude + wide)


def _free(wanted: _Wanted, *columns: Any) -> Select[Any]:  # noqa: ANN401 - whatever is asked for
    """Return the query of free slots; it walks sessions by day, so that few rows are read."""
    query = (
        select(*columns)
        .join_from(ClinicSession, Slot, ClinicSession.id == Slot.session_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .where(
            ClinicSession.programme_id == wanted.programme_id,
            ClinicSession.day >= _yesterday(wanted.now),
            ClinicSession.state.in_(BOOKABLE),
            Slot.starts_at > wanted.now,
            Slot.places(wanted.pools) > 0,
        )
    )
    if wanted.days:
        query = query.where(ClinicSession.day.between(*wanted.days))
    if wanted.product_id:
        query = query.where(ClinicSession.product_id == wanted.product_id)
    if wanted.ages is not None:
        query = query.where(Product.min_age_years.in_(wanted.ages))
    return query


def _starts(wanted: _Wanted, site_id: UUID | None = None) -> Select[Any]:
    """Return the query of slots at which so many may begin: of a site, or of each around it.

    A party needs free slots each of which begins where the one before it ends, in one session.
    """
    free = (
        _free(wanted, Slot.id, Slot.starts_at, ClinicSession.day)
        .where(ClinicSession.site_id == (site_id or Site.id))
        .correlate(Site)
    )
    if wanted.hours:
        free = free.where(_within(wanted.hours))
    if wanted.places > 1:
        free = _together(free, wanted)
    ordered = free.selected_columns
    return free.order_by(ordered.day, ordered.starts_at, ordered.id)


def _together(free: Select[Any], wanted: _Wanted) -> Select[Any]:
    """Narrow a query of free slots to those that begin a stretch with places for a party."""
    before = func.lag(Slot.ends_at).over(partition_by=Slot.session_id, order_by=Slot.starts_at)
    left: ColumnElement[int] = type_coerce(Slot.places(wanted.pools), Integer)
    apart = case((before == Slot.starts_at, 0), else_=1)
    each = free.add_columns(Slot.session_id, left.label("left"), apart.label("apart")).subquery()
    so_far = func.sum(each.c.apart).over(partition_by=each.c.session_id, order_by=each.c.starts_at)
    stretches = select(*each.c, so_far.label("stretch")).subquery()
    whole = func.sum(stretches.c.left).over(
        partition_by=(stretches.c.session_id, stretches.c.stretch),
        order_by=stretches.c.starts_at, rows=(0, wanted.places - 1),
    )  # fmt: skip
    sums = select(*stretches.c, whole.label("together")).subquery()
    columns = (sums.c.id, sums.c.starts_at, sums.c.day)
    return select(*columns).where(sums.c.together >= wanted.places)


def _within(hours: tuple[time, time]) -> ColumnElement[bool]:
    """Return whether a slot begins within hours on its site's clock; they may go past midnight."""
    local = func.timezone(Site.time_zone, Slot.starts_at)
    minutes = 60 * extract("hour", local) + extract("minute", local)
    first, last = (60 * each.hour + each.minute for each in hours)
    return (and_ if first <= last else or_)(minutes >= first, minutes < last)


def _yesterday(now: datetime) -> date:
    """Return a day that has ended, or is today, everywhere."""
    return (now.astimezone(UTC) - timedelta(days=1)).date()


def _ages_reached(db: Session, birth_date: str, now: datetime) -> list[int]:
    """Return the least ages of products that the person has reached by today."""
    ages = db.scalars(select(Product.min_age_years).distinct())
    return [age for age in ages if reaches(birth_date, 12 * age) <= now.date()]


def _offers(
    db: Session, wanted: _Wanted, found: Sequence[tuple[Site, list[UUID]]],
    near: tuple[float, float],
) -> list[FreeSlot]:  # fmt: skip
    """Return what was found in full, in its order."""
    ids = [each for _site, some in found for each in some]
    if not ids:
        return []
    query = _free(wanted, Slot, ClinicSession, Product).order_by(Slot.session_id, Slot.starts_at)
    whole = select(Slot.session_id).where(Slot.id.in_(ids))
    rows = db.execute(
        query.where(Slot.id.in_(ids) if wanted.places == 1 else Slot.session_id.in_(whole))
    ).all()
    at = {slot.id: turn for turn, (slot, _session, _product) in enumerate(rows)}
    return [
        _offer(rows[turn : turn + wanted.places], wanted, site, _km(near, site))
        for site, some in found
        for turn in sorted((at[each] for each in some), key=lambda turn: _order(rows[turn]))
    ]


def _order(row: Any) -> tuple[date, datetime, UUID]:  # noqa: ANN401 - of what is read
    slot, session, _product = row
    return session.day, slot.starts_at, slot.id


def _offer(rows: Sequence[Any], wanted: _Wanted, site: Site, distance_km: float) -> FreeSlot:
    """Return an offer for as many people, who take the slots that follow one after the other."""
    _slot, session, product = rows[0]
    taken: dict[Slot, int] = {}
    for slot, _session, _product in rows:
        left = wanted.places - sum(taken.values())
        if left:
            taken[slot] = min(left, slot.places(wanted.pools))
    return FreeSlot(
        slot_ids=tuple(slot.id for slot, people in taken.items() for _ in range(people)),
        site=site,
        distance_km=distance_km,
        day=session.day,
        starts_at=next(iter(taken)).starts_at,
        ends_at=[*taken][-1].ends_at,
        places=sum(slot.places(wanted.pools) for slot in taken),
        product=product.name,
        min_age=product.min_age_years,
    )


def _km(near: tuple[float, float], site: Site) -> float:
    """Return the great-circle distance (haversine formula)."""
    here, there = math.radians(near[0]), math.radians(site.latitude)
    north, east = there - here, math.radians(site.longitude - near[1])
    half = math.sin(north / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(half))
