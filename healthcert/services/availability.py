"""Where places are left, in steps so coarse that nobody can be seen in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.models import ClinicSession, Programme, Site, Slot
from healthcert.services.booking import BOOKABLE

_STEPS = (0, 1, 10, 50, 200)


class Left(NamedTuple):
    """How many places anybody may book for a programme, at a site, on a day."""

    programme: str  # code
    site_id: UUID
    day: date
    places: int


def left(db: Session, *, now: datetime) -> Sequence[Left]:
    """Return where places are left, exactly; for the worker."""
    query = (
        select(Programme.code, ClinicSession.site_id, ClinicSession.day, func.sum(Slot.places()))
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Programme, Programme.id == ClinicSession.programme_id)
        .where(Slot.starts_at > now, ClinicSession.state.in_(BOOKABLE))
        .group_by(Programme.code, ClinicSession.site_id, ClinicSession.day)
        .having(func.sum(Slot.places()) > 0)
        .order_by(Programme.code, ClinicSession.day, ClinicSession.site_id)
    )
    return [Left(*row[:3], int(row[3])) for row in db.execute(query)]


def told(db: Session, lines: Sequence[Left]) -> dict[str, Any]:
    """Return what everybody may know of it, ready for JSON: sites, and days with places left."""
    sites = {site.id: site for site in db.scalars(select(Site))}
    return {
        "sites": {
            sites[site_id].code: {
                "names": sites[site_id].names, "address": sites[site_id].address,
                "position": [sites[site_id].latitude, sites[site_id].longitude],
            }
            for site_id in dict.fromkeys(line.site_id for line in lines)
        },
        "places": [
            {
                "programme": line.programme, "site": sites[line.site_id].code,
                "day": line.day.isoformat(),
                "at_least": coarse(line.places),
            }
            for line in lines
        ],
    }  # fmt: skip


def coarse(places: int) -> int:
    """Return the number that is told: so many are left at least."""
    return max(step for step in _STEPS if step <= max(0, places))
