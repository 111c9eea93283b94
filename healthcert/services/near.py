"""Which sites are near a point.

They are asked for in rings, so that a country's far end is never reckoned; a plain index of
latitude and longitude finds a ring as quickly as a spatial one (ADR 0028).
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from uuid import UUID

from sqlalchemy import ColumnElement, Row, ScalarSelect, func, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound
from healthcert.models import Site

Point = tuple[float, float]  # latitude and longitude, degrees

_EARTH_KM = 6371.0
_AROUND_KM = math.pi * _EARTH_KM
_RINGS_KM = (0.0, 30.0, 300.0, 1.01 * _AROUND_KM)  # the last ends beyond the antipode
_MORE = 8  # how many times more sites each statement looks into than the one before


def told_by_nearest(
    db: Session, point: Point, fit: Sequence[ColumnElement[bool]], told: ScalarSelect[str | None],
    *, first: int,
) -> Iterator[str | None]:  # fmt: skip
    """Give what all sites that fit tell, the nearest first.

    Only as many are asked as the caller takes, `first` by the first statement.
    """
    away, size = _haversine(point), first
    for inner, outer in pairwise(_RINGS_KM):
        ring = [*_box(point, outer), away >= _half(inner), away < _half(outer)]
        sites = select(Site.id, away.label("away")).where(*ring, *fit).order_by("away", Site.id)
        seen, more = 0, True
        while more:
            some = sites.offset(seen).limit(size).subquery()
            query = select(told).select_from(Site).join(some, some.c.id == Site.id)
            rows = db.scalars(query.order_by(some.c.away, some.c.id)).all()
            yield from rows
            seen, more, size = seen + len(rows), len(rows) == size, _MORE * size


def nearest(db: Session, point: Point) -> Site:
    """Return the site that is nearest to a point; NotFound where there is none at all."""
    sites = db.scalars(select(Site)).all()
    if not sites:
        raise NotFound
    return min(sites, key=lambda site: km(point, site))


def km(point: Point, site: Site | Row[UUID, float, float]) -> float:
    """Return the great-circle distance (haversine formula)."""
    here, there = math.radians(point[0]), math.radians(site.latitude)
    north, east = there - here, math.radians(site.longitude - point[1])
    half = math.sin(north / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def _half(km: float) -> float:
    """Return the haversine of the angle that spans so many km; more than any beyond half way."""
    return math.sin(km / _EARTH_KM / 2) ** 2 if km < _AROUND_KM else 2.0


def _haversine(point: Point) -> ColumnElement[float]:
    """Return the haversine of the angle between a site and a point: it grows with distance."""
    here = math.radians(point[0])
    north = func.sin((func.radians(Site.latitude) - here) / 2)
    east = func.sin((func.radians(Site.longitude) - math.radians(point[1])) / 2)
    return north * north + math.cos(here) * func.cos(func.radians(Site.latitude)) * east * east


def _box(point: Point, km: float) -> Iterator[ColumnElement[bool]]:
    """Give a box in degrees around a circle; where it meets a pole or the date line, a band."""
    latitude, longitude = point
    angle = 1.001 * km / _EARTH_KM
    tall = math.degrees(angle)
    yield Site.latitude.between(latitude - tall, latitude + tall)
    if abs(latitude) + tall < 90:  # noqa: PLR2004 - the pole
        wide = math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(latitude))))
        if abs(longitude) + wide < 180:  # noqa: PLR2004 - the date line
            yield Site.longitude.between(longitude - wide, longitude + wide)
