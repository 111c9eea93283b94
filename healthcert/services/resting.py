"""Which sites rest on a holiday that people declared: what is still to be closed, and to be opened.

The rows themselves say what is left to do, so that whoever does it may end anywhere.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Row, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from healthcert.models import Holiday, Instant, Organisation, Site, SiteClosure
from healthcert.services import delegating

_DAY = timedelta(days=1)
_LATELY = timedelta(minutes=10)


def at(db: Session, site: Site, day: date | None = None) -> Sequence[Holiday]:
    """Return the holidays that are declared for a site and not withdrawn; or those of a day."""
    line = delegating.line_of(db, site.organisation_id)
    query = select(Holiday).where(Holiday.organisation_id.in_(line), Holiday.withdrawn_at.is_(None))
    query = query.where(Holiday.region.is_(None) | (Holiday.region == site.region))
    query = query.where(Holiday.day == day) if day else query
    return db.scalars(query.order_by(Holiday.id)).all()


def stirred(db: Session, *, now: datetime) -> bool:
    """Say whether a holiday to come was declared or withdrawn of late."""
    when = func.coalesce(Holiday.withdrawn_at, Holiday.recorded_at)
    lately = exists().where(Holiday.day >= (now - _DAY).date(), when > now - _LATELY)
    return bool(db.scalar(select(lately)))


def to_close(
    db: Session, *, now: datetime, site_ids: Collection[UUID] | None = None
) -> Sequence[Row[UUID, date, UUID]]:
    """Return what is still to be closed, by site, at some or at all: site, day and holiday."""
    pairs = under(Holiday.withdrawn_at.is_(None), Holiday.day >= (now - _DAY).date())
    query = select(Site.id, Holiday.day, Holiday.id).where(*of_sites(pairs))
    query = query.where(*_of(site_ids), ~closed(Holiday.day), _to_come(now))
    return db.execute(query.order_by(Site.id, Holiday.id)).all()


def to_open(
    db: Session, *, now: datetime, site_ids: Collection[UUID] | None = None
) -> Sequence[SiteClosure]:
    """Return the closures of days to come, by site, that came with a holiday no longer theirs.

    It was withdrawn, or was for the region where the site was before.
    """
    query = select(SiteClosure).join(Site, Site.id == SiteClosure.site_id)
    query = query.join(Holiday, Holiday.id == SiteClosure.holiday_id)
    gone = Holiday.withdrawn_at.is_not(None) | (Holiday.region != Site.region)
    query = query.where(gone, Holiday.day >= (now - _DAY).date(), *_of(site_ids), _to_come(now))
    return db.scalars(query.order_by(Site.id, SiteClosure.day)).all()


def under(*which: ColumnElement[bool]) -> CTE:
    """Return for which organisations some holidays are: pairs."""
    own = select(Holiday.id, Holiday.region, Holiday.organisation_id.label("of")).where(*which)
    pairs = own.cte(recursive=True)
    below = select(pairs.c.id, pairs.c.region, Organisation.id)
    return pairs.union_all(below.join(Organisation, Organisation.parent_id == pairs.c.of))


def of_sites(pairs: CTE) -> list[ColumnElement[bool]]:
    """Return for which sites a holiday is, by these pairs."""
    region = pairs.c.region.is_(None) | (pairs.c.region == Site.region)
    return [pairs.c.id == Holiday.id, Site.organisation_id == pairs.c.of, region]


def closed(day: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column or a literal
    """Return that a site is closed on a day."""
    return exists().where(SiteClosure.site_id == Site.id, SiteClosure.day == day)


def _of(site_ids: Collection[UUID] | None) -> list[ColumnElement[bool]]:
    return [] if site_ids is None else [Site.id.in_(site_ids)]


def _to_come(now: datetime) -> ColumnElement[bool]:
    """Return that the day of a holiday is not over by the clock of a site."""
    local = func.date(func.timezone(Site.time_zone, literal(now, Instant)))
    return or_(Holiday.day > (now + _DAY).date(), Holiday.day >= local)
