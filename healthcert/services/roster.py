"""Who works here: found by identifier, and listed for administrators and the demonstration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from healthcert.errors import NeedsAnother, NotAllowed, NotFound
from healthcert.models import Organisation, Site, Staff
from healthcert.services import audit, delegating


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


def colleagues(
    db: Session, *, staff: Staff, now: datetime
) -> Sequence[Row[Staff, Site, Organisation]]:
    """Return who works in one's reach, at which site or None, and for whom; 500 at most."""
    return db.execute(_within(db, staff, "see_organisations", now).limit(500)).all()


def end_work(db: Session, *, staff: Staff, staff_id: UUID, now: datetime) -> None:
    """End the work of somebody in one's reach: no door opens to them from now on.

    Raises:
        NotFound: Nobody of that identifier works there.
        NeedsAnother: It is oneself, so that nobody leaves an organisation without anybody.
    """
    found = db.execute(_within(db, staff, "end_work", now).where(Staff.id == staff_id)).first()
    if found is None:
        raise NotFound
    if staff_id == staff.id:
        raise NeedsAnother
    found[0].active = False
    audit.note(
        db, actor=audit.Actor("staff", staff.id), act="work_ended",
        subject=audit.Subject("staff", staff_id), details={}, now=now,
    )  # fmt: skip


def _within(
    db: Session, staff: Staff, act: str, now: datetime
) -> Select[Staff, Site, Organisation]:
    employer = func.coalesce(Site.organisation_id, Staff.organisation_id)
    return (
        select(Staff, Site, Organisation)
        .outerjoin(Site, Site.id == Staff.site_id)
        .join(Organisation, Organisation.id == employer)
        .where(Staff.active, employer.in_(delegating.within(db, staff=staff, act=act, now=now)))
        .order_by(Organisation.level, Organisation.code, Staff.name)
    )
