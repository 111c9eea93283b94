"""Find free places, the nearest first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from healthcert.models import ClinicSession, Product, Site, Slot
from healthcert.policy.ages import old_enough
from healthcert.services.booking import BOOKABLE

_EARTH_KM = 6371.0
_A_SITE_AT_MOST = 5  # slots of one site among the nearest, so that others show too


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot with places left.

    Attributes:
        slot_id: What to book.
        site_id: Where.
        names: The site's names by language.
        address: The site's address by language.
        step_free: Whether there is no step on the way.
        distance_km: As the crow flies.
        day: The day at the site.
        starts_at: Aware.
        ends_at: Aware.
        time_zone: Of the site, IANA name.
        places: How many are left.
        product: What is given, its name.
        min_age: Years.
    """

    slot_id: UUID
    site_id: UUID
    names: Mapping[str, str]
    address: Mapping[str, str]
    step_free: bool
    distance_km: float
    day: date
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    places: int
    product: str
    min_age: int


def nearest_free(
    db: Session,
    *,
    programme_id: UUID,
    near: tuple[float, float],
    now: datetime,
    limit: int,
    birth_date: str | None = None,
) -> list[FreeSlot]:
    """Return free slots of the nearest sites that have any, each site's earliest, a few a site.

    Args:
        db: A reading session will do.
        programme_id: What for.
        near: Latitude and longitude in degrees.
        now: Slots that have begun are left out.
        limit: How many slots at most.
        birth_date: Leaves out products that the person is too young for.
    """
    sites = sorted(db.scalars(select(Site)), key=lambda site: _km(near, site))
    query = _free(programme_id, now)
    if birth_date is not None:
        query = query.where(Product.min_age_years.in_(_ages_reached(db, birth_date, now)))
    found: list[FreeSlot] = []
    for site in sites:
        if len(found) >= limit:
            break
        rows = db.execute(query.where(ClinicSession.site_id == site.id).limit(_A_SITE_AT_MOST))
        found += [_slot(*row, site, _km(near, site)) for row in rows]
    return found[:limit]


def _free(programme_id: UUID, now: datetime) -> Select[Slot, ClinicSession, Product]:
    """Return the query of free slots; it walks sessions by day, so that few rows are read."""
    return (
        select(Slot, ClinicSession, Product)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .where(
            ClinicSession.programme_id == programme_id,
            ClinicSession.day >= _yesterday(now),
            ClinicSession.state.in_(BOOKABLE),
            Slot.starts_at > now,
            Slot.booked < Slot.capacity,
        )
        .order_by(ClinicSession.day, Slot.starts_at, Slot.id)
    )


def _yesterday(now: datetime) -> date:
    """Return a day that has ended, or is today, everywhere."""
    return (now.astimezone(UTC) - timedelta(days=1)).date()


def _ages_reached(db: Session, birth_date: str, now: datetime) -> list[int]:
    """Return the least ages of products that the person has reached by today."""
    ages = db.scalars(select(Product.min_age_years).distinct())
    return [age for age in ages if old_enough(birth_date, now.date(), 12 * age)]


def _slot(
    slot: Slot, session: ClinicSession, product: Product, site: Site, distance_km: float
) -> FreeSlot:
    return FreeSlot(
        slot_id=slot.id,
        site_id=site.id,
        names=site.names,
        address=site.address,
        step_free=site.step_free,
        distance_km=distance_km,
        day=session.day,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        time_zone=site.time_zone,
        places=slot.capacity - slot.booked,
        product=product.name,
        min_age=product.min_age_years,
    )


def _km(near: tuple[float, float], site: Site) -> float:
    """Return the great-circle distance (haversine formula)."""
    here, there = math.radians(near[0]), math.radians(site.latitude)
    north, east = there - here, math.radians(site.longitude - near[1])
    half = math.sin(north / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(half))
