"""The queries of free slots: of a site, or of whichever the query around them names."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    extract,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from healthcert.models import ClinicSession, Product, Site, Slot
from healthcert.policy.ages import reaches
from healthcert.services.scenes import BOOKABLE


class Wanted(NamedTuple):
    """What a slot must be."""

    programme_id: UUID
    now: datetime
    pools: Collection[str]  # whose kept places count as free too
    places: int = 1  # how many people come together
    hours: tuple[time, time] | None = None  # begins from .. before, on the site's clock
    days: tuple[date, date] | None = None  # the first and the last
    product_id: UUID | None = None
    site_id: UUID | None = None  # else the one of the query around
    ages: Collection[int] | None = None  # least ages of products that the person has reached


def free(wanted: Wanted, *columns: Any) -> Select[Any]:  # noqa: ANN401 - whatever is asked for
    """Return the query of free slots with their sessions, products and sites."""
    # It has ended, or is today, everywhere.
    yesterday = (wanted.now.astimezone(UTC) - timedelta(days=1)).date()
    query = (
        select(*columns)
        .join_from(ClinicSession, Slot, ClinicSession.id == Slot.session_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .where(
            ClinicSession.site_id == Site.id,
            ClinicSession.programme_id == wanted.programme_id,
            ClinicSession.day >= yesterday,
            ClinicSession.state.in_(BOOKABLE),
            Slot.starts_at > wanted.now,
            ~Slot.is_full,  # has an index
            Slot.places(wanted.pools) > 0,
        )
    )
    if wanted.days:
        query = query.where(ClinicSession.day.between(*wanted.days))
    if wanted.site_id:
        query = query.where(Site.id == wanted.site_id)
    if wanted.product_id:
        query = query.where(ClinicSession.product_id == wanted.product_id)
    if wanted.ages is not None:
        query = query.where(Product.min_age_years.in_(wanted.ages))
    return query


def starts(wanted: Wanted) -> Select[Any]:
    """Return the query of slots at which so many may begin, by day and time, of the site around it.

    A party needs free slots each of which begins where the one before it ends, in one session.
    """
    query = free(wanted, Slot.id, Slot.starts_at, ClinicSession.day).correlate(Site)
    if wanted.hours:
        query = query.where(_within(wanted.hours))
    if wanted.places > 1:
        query = _together(query, wanted)
    told = query.selected_columns
    return query.order_by(told.day, told.starts_at, told.id)


def _together(query: Select[Any], wanted: Wanted) -> Select[Any]:
    """Narrow a query of free slots to those that begin a stretch with places for a party."""
    before = func.lag(Slot.ends_at).over(partition_by=Slot.session_id, order_by=Slot.starts_at)
    left: ColumnElement[int] = type_coerce(Slot.places(wanted.pools), Integer)
    apart = case((before == Slot.starts_at, 0), else_=1)
    each = query.add_columns(Slot.session_id, left.label("left"), apart.label("apart")).subquery()
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


def ages_reached(db: Session, birth_date: str, now: datetime) -> list[int]:
    """Return the least ages of products that the person has reached by today."""
    ages = db.scalars(select(Product.min_age_years).distinct())
    return [age for age in ages if reaches(birth_date, 12 * age) <= now.date()]
