"""Who works here: found by identifier, and listed for the demonstration's sign-in."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import NotAllowed, NotFound
from healthcert.models import Site, Staff


def member(db: Session, *, staff_id: UUID) -> Staff | None:
    """Return an active member of staff; None for nobody, or for one who has left."""
    return db.scalars(select(Staff).where(Staff.id == staff_id, Staff.active)).one_or_none()


def present(db: Session, *, staff_id: UUID) -> Staff:
    """Return the member of staff who does a deed, inside its transaction.

    Raises:
        NotAllowed: They have left meanwhile.
    """
    found = member(db, staff_id=staff_id)
    if found is None:
        raise NotAllowed
    return found


def employer(db: Session, *, staff: Staff) -> UUID | None:
    """Return the organisation somebody works for: their site's, or their own without a site."""
    if staff.site_id is None:
        return staff.organisation_id
    return site(db, site_id=staff.site_id).organisation_id


def site(db: Session, *, site_id: UUID) -> Site:
    """Return a site.

    Raises:
        NotFound: No such site.
    """
    found = db.get(Site, site_id)
    if found is None:
        raise NotFound
    return found


def everyone(db: Session, *, limit: int = 200) -> list[tuple[Staff, Site | None]]:
    """Return active staff with their site, by role and name; for the demonstration only."""
    query = (
        select(Staff, Site)
        .outerjoin(Site, Site.id == Staff.site_id)
        .where(Staff.active)
        .order_by(Staff.role, Staff.name)
        .limit(limit)
    )
    return [(staff, site) for staff, site in db.execute(query)]
