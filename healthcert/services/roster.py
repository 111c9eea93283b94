"""Who works here: joins, comes in, is found and listed, and leaves."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NeedsAnother, NotAllowed, NotProved, there
from healthcert.models import Organisation, Site, Staff, StaffLink
from healthcert.models.staff import STAFF_ROLES, WITHOUT_SITE
from healthcert.services import audit, delegating, visits
from healthcert.services.tidying import wrong_name

_EMPLOYER = func.coalesce(Site.organisation_id, Staff.organisation_id)


def member(db: Session, *, staff_id: UUID) -> Staff | None:
    """Return an active member of staff; None for nobody, or for one who has left."""
    return db.scalars(select(Staff).where(Staff.id == staff_id, Staff.active)).one_or_none()


def employed(db: Session, *, staff_id: UUID) -> Row[Staff, UUID | None] | None:
    """Return an active member of staff, and the organisation they work for: their site's if any."""
    query = select(Staff, _EMPLOYER).outerjoin(Site, Site.id == Staff.site_id)
    return db.execute(query.where(Staff.id == staff_id, Staff.active)).one_or_none()


def present(db: Session, *, staff_id: UUID) -> Staff:
    """Return who does a deed, inside its transaction; `NotAllowed` if they left meanwhile."""
    found = member(db, staff_id=staff_id)
    if found is None:
        raise NotAllowed
    return found


def site(db: Session, *, site_id: UUID) -> Site:
    """Return a site.

    Raises:
        NotFound: No such site.
    """
    return there(db.get(Site, site_id))


def sites(db: Session) -> Sequence[Site]:
    """Return all sites by code, for lists on a page."""
    return db.scalars(select(Site).order_by(Site.code).limit(2000)).all()


def everyone(db: Session, *, limit: int = 200) -> list[tuple[Staff, Site | None]]:
    """Return active staff with their site, by role and name; for lists on a page."""
    query = (
        select(Staff, Site)
        .outerjoin(Site, Site.id == Staff.site_id)
        .where(Staff.active)
        .order_by(Staff.role, Staff.name)
        .limit(limit)
    )
    return [(staff, site) for staff, site in db.execute(query)]


def colleagues(db: Session, *, reach: Select[UUID]) -> Sequence[Row[Staff, Site, Organisation]]:
    """Return who works for organisations, at which site or None, and for which; 500 at most."""
    return db.execute(_within(reach).limit(500)).all()


def colleague(db: Session, *, staff: Staff, staff_id: UUID, act: str, now: datetime) -> Staff:
    """Return a member of staff who is in the reach of one's act.

    Raises:
        NotFound: Nobody of that identifier works there.
    """
    reach = delegating.within(db, staff=staff, act=act, now=now)
    found = there(db.execute(_within(reach).where(Staff.id == staff_id)).first())
    return found[0]


def _within(reach: Select[UUID]) -> Select[Staff, Site, Organisation]:
    return (
        select(Staff, Site, Organisation)
        .outerjoin(Site, Site.id == Staff.site_id)
        .join(Organisation, Organisation.id == _EMPLOYER)
        .where(Staff.active, _EMPLOYER.in_(reach))
        .order_by(Organisation.level, Organisation.code, Staff.name)
    )


def join(
    db: Session, *, name: str, role: str, site: Site | None, employer: UUID | None, now: datetime
) -> Staff:
    """Return a new member of staff, who still has no way in.

    Somebody without a site has an organisation as `employer`; without one they reach nobody.

    Raises:
        BadInput: No name or too long a one, no such role, or a site where the role needs none,
            or the other way.
    """
    wrong = {
        "name": wrong_name(name),
        "role": "" if role in STAFF_ROLES else "not_a_choice",
    }
    if role in STAFF_ROLES and (site is None) != (role in WITHOUT_SITE):
        wrong["site"] = "not_a_choice"
    if any(wrong.values()):
        raise BadInput({field: code for field, code in wrong.items() if code})
    staff = Staff(
        recorded_at=now, name=name.strip(), role=role, site_id=site.id if site else None,
        organisation_id=None if site else employer,
    )  # fmt: skip
    db.add(staff)
    db.flush()
    return staff


def linked(db: Session, *, issuer: str, subject: str) -> UUID:
    """Return who of the staff an identity provider means; a name or an address never does.

    Raises:
        NotProved: Nobody.
    """
    found = db.get(StaffLink, (issuer, subject))
    if found is None:
        raise NotProved
    return found.staff_id


def link(db: Session, *, staff_id: UUID, issuer: str, subject: str, now: datetime) -> None:
    """Let somebody in by an identity provider from now on.

    Raises:
        NotProved: They are linked to another, or somebody else is to this one.
    """
    try:
        with db.begin_nested():
            db.add(StaffLink(issuer=issuer, subject=subject, staff_id=staff_id, recorded_at=now))
    except IntegrityError:
        raise NotProved from None
    note(db, "provider_linked", staff_id, staff_id, now)


def sign_out(db: Session, *, staff_id: UUID, by: UUID, now: datetime) -> None:
    """End every session of somebody, wherever they are signed in."""
    visits.end_all(db, staff_id=staff_id)
    note(db, "signed_out_everywhere", by, staff_id, now)


def end_work(db: Session, *, staff_id: UUID, by: UUID | None, now: datetime) -> None:
    """Let nobody in as this member of staff any more; `by` None is the operator.

    Raises:
        NeedsAnother: It is oneself, so that nobody leaves an organisation without anybody.
    """
    if by == staff_id:
        raise NeedsAnother
    db.execute(update(Staff).where(Staff.id == staff_id).values(active=False))
    visits.end_all(db, staff_id=staff_id)
    note(db, "work_ended", by, staff_id, now)


def note(db: Session, act: str, by: UUID | None, staff_id: UUID, now: datetime) -> None:
    """Write down a deed about a member of staff; by None it is the operator's."""
    actor = audit.Actor("staff", by) if by else audit.SYSTEM
    subject = audit.Subject("staff", staff_id)
    audit.note(db, actor=actor, act=act, subject=subject, details={}, now=now)
