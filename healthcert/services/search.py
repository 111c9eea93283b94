"""Find free places, the nearest first."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from healthcert.models import ClinicSession, Product, Site, Slot
from healthcert.policy.ages import reaches
from healthcert.services.booking import BOOKABLE
from healthcert.services.places import pools_of

_EARTH_KM = 6371.0
_A_SITE_AT_MOST = 5  # slots of one site among the nearest, so that others show too


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot with places left."""

    slot_id: UUID  # what to book
    site: Site  # where
    distance_km: float  # as the crow flies
    day: date  # the day at the site
    starts_at: datetime  # aware
    ends_at: datetime  # aware
    places: int  # how many are left
    product: str  # what is given, its name
    min_age: int  # years


def nearest_free(
    db: Session,
    *,
    programme_id: UUID,
    near: tuple[float, float],
    now: datetime,
    limit: int,
    birth_date: str | None = None,
    dose_number: int = 1,
    step_free: bool = False,
    language: str | None = None,
) -> list[FreeSlot]:
    """Return free slots of the nearest sites that have any, each site's earliest, a few a site.

    `near` is latitude and longitude in degrees. Slots that have begun are left out, and products
    that somebody of the birth date is too young for, and sites with steps, or where the language
    is not spoken. Places that are kept for second doses show to those who look for one.
    """
    sites = sorted(db.scalars(select(Site)), key=lambda site: _km(near, site))
    pools = pools_of("web", dose_number)
    query = _free(programme_id, now).where(Slot.places(pools) > 0)
    if birth_date is not None:
        query = query.where(Product.min_age_years.in_(_ages_reached(db, birth_date, now)))
    found: list[FreeSlot] = []
    for site in sites:
        if len(found) >= limit:
            break
        if step_free > site.step_free or (language and language not in site.languages):
            continue
        rows = db.execute(query.where(ClinicSession.site_id == site.id).limit(_A_SITE_AT_MOST))
        found += [_slot(*row, site, _km(near, site), pools) for row in rows]
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
        )
        .order_by(ClinicSession.day, Slot.starts_at, Slot.id)
    )


def _yesterday(now: datetime) -> date:
    """Return a day that has ended, or is today, everywhere."""
    return (now.astimezone(UTC) - timedelta(days=1)).date()


def _ages_reached(db: Session, birth_date: str, now: datetime) -> list[int]:
    """Return the least ages of products that the person has reached by today."""
    ages = db.scalars(select(Product.min_age_years).distinct())
    return [age for age in ages if reaches(birth_date, 12 * age) <= now.date()]


def _slot(
    slot: Slot, session: ClinicSession, product: Product, site: Site, distance_km: float,
    pools: Collection[str],
) -> FreeSlot:  # fmt: skip
    return FreeSlot(
        slot_id=slot.id,
        site=site,
        distance_km=distance_km,
        day=session.day,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        places=slot.places(pools),
        product=product.name,
        min_age=product.min_age_years,
    )


def _km(near: tuple[float, float], site: Site) -> float:
    """Return the great-circle distance (haversine formula)."""
    here, there = math.radians(near[0]), math.radians(site.latitude)
    north, east = there - here, math.radians(site.longitude - near[1])
    half = math.sin(north / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(half))
