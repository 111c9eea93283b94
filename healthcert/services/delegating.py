"""What organisations hand on to those below them, and how far somebody's acts reach.

Those below may do there what their roles do already, for a year at most, and not hand it on.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, ScalarSelect, Select, select
from sqlalchemy.orm import Session, aliased

from healthcert.errors import BadInput, NotFound, there
from healthcert.models import Delegation, Organisation, Site, Staff
from healthcert.policy.roles import ACTS, Asker, Handed, Role, Scope, delegable, may, reached
from healthcert.services import audit
from healthcert.services.part import Part

LONGEST = 365  # days


def employer(db: Session, *, staff: Staff) -> UUID | None:
    """Return the organisation somebody works for: their site's, or their own without a site."""
    if staff.site_id is None:
        return staff.organisation_id
    return db.scalar(select(Site.organisation_id).where(Site.id == staff.site_id))


def line_of(db: Session, organisation_id: UUID | None) -> tuple[UUID, ...]:
    """Return an organisation and all above it, itself first; nothing for none."""
    line = _line(organisation_id)
    return tuple(db.scalars(select(line.c.id).order_by(line.c.level.desc())))


def _line(of: UUID | ScalarSelect[UUID | None] | None) -> CTE:
    line = select(Organisation).where(Organisation.id == of).cte(recursive=True)
    above = aliased(Organisation)
    return line.union_all(select(above).join(line, above.id == line.c.parent_id))


def asker_of(db: Session, staff: Staff) -> Asker:
    """Return a member of staff as the table of roles knows them."""
    line = line_of(db, employer(db, staff=staff))
    return Asker(Role(staff.role), site=staff.site_id, line=line)


def within(db: Session, *, staff: Staff, act: str, now: datetime) -> Select[UUID]:
    """Return the query of the organisations whose people and places somebody's act reaches."""
    role, site = Role(staff.role), select(Site.organisation_id).where(Site.id == staff.site_id)
    if ACTS[act].get(role) is Scope.COUNTRY:
        return select(Organisation.id)
    line = _line(site.scalar_subquery() if staff.site_id else staff.organisation_id)
    given = select(line.c.id, Delegation).outerjoin(Delegation, Delegation.taker_id == line.c.id)
    rows = db.execute(given.order_by(line.c.level.desc())).all()
    asker = Asker(role, site=staff.site_id, line=tuple(dict.fromkeys(row[0] for row in rows)))
    handed = [Handed(d.act, d.giver_id, d.taker_id, d.ends_at, d.revoked_at) for _, d in rows if d]
    roots = reached(asker, act, handed=handed, now=now)
    return below(roots)


def below(roots: Collection[UUID]) -> Select[UUID]:
    """Return the query of some organisations and all below them."""
    found = select(Organisation.id).where(Organisation.id.in_(roots)).cte(recursive=True)
    found = found.union(select(Organisation.id).where(Organisation.parent_id == found.c.id))
    return select(found.c.id)


def sites_of(db: Session, reach: Select[UUID], *, part: Part | None = None) -> Sequence[Site]:
    """Return the sites of organisations by code, all or a part of them."""
    found = select(Site).where(Site.organisation_id.in_(reach)).order_by(Site.code)
    return db.scalars(part.of(found, Site.code) if part else found).all()


def sites(db: Session, *, staff: Staff, act: str, now: datetime) -> Sequence[Site]:
    """Return the sites that somebody's act reaches: their own, or those of organisations."""
    if staff.site_id is not None:
        return [db.get_one(Site, staff.site_id)]
    return sites_of(db, within(db, staff=staff, act=act, now=now))


def site(db: Session, *, staff: Staff, act: str, site_id: UUID | None, now: datetime) -> Site:
    """Return one of the sites that somebody's act reaches.

    Raises:
        NotFound: There is no such one.
    """
    reach = at_sites(db, staff=staff, act=act, now=now)
    return there(db.scalar(select(Site).where(Site.id == site_id, reach)))


def at_sites(db: Session, *, staff: Staff, act: str, now: datetime) -> ColumnElement[bool]:
    """Return what is true of the sites that somebody's act reaches."""
    if staff.site_id is not None:
        return Site.id == staff.site_id
    return Site.organisation_id.in_(within(db, staff=staff, act=act, now=now))


def delegate(
    db: Session, *, staff: Staff, taker_id: UUID, act: str, days: int, now: datetime
) -> Delegation:
    """Hand one of one's own acts to an organisation below one's own, for some days.

    Raises:
        BadInput: The act is not one's own to hand on, or the days are none or over a year.
        NotFound: No such organisation below one's own.
    """
    if act not in delegable(Role(staff.role)):
        raise BadInput({"act": "not_a_choice"})
    if not 1 <= days <= LONGEST:
        raise BadInput({"days": "not_a_choice"})
    giver = asker_of(db, staff)
    if not may(giver, "delegate", line=line_of(db, taker_id)[1:], now=now):
        raise NotFound
    made = Delegation(
        recorded_at=now, giver_id=giver.line[0], taker_id=taker_id, act=act, given_by=staff.id,
        ends_at=now + timedelta(days),
    )  # fmt: skip
    db.add(made)
    db.flush()
    audit.done(db, "delegated", made, _told(made), by=staff, now=now)
    return made


def overview(
    db: Session, *, staff: Staff, now: datetime
) -> tuple[Sequence[Organisation], Sequence[Site], Sequence[Delegation]]:
    """Return the organisations in somebody's reach, their sites, and what they hand on now."""
    reach = within(db, staff=staff, act="see_organisations", now=now)
    tree = select(Organisation).where(Organisation.id.in_(reach))
    handed = select(Delegation).where(Delegation.giver_id.in_(reach), *_in_force(now))
    return (
        db.scalars(tree.order_by(Organisation.level, Organisation.code)).all(),
        sites_of(db, reach),
        db.scalars(handed.order_by(Delegation.ends_at)).all(),
    )


def revoke(db: Session, *, staff: Staff, delegation_id: UUID, now: datetime) -> None:
    """Take back what one's own organisation, or one below it, has handed on.

    Raises:
        NotFound: Nothing of that identifier stands, handed on within one's reach.
    """
    reach = within(db, staff=staff, act="delegate", now=now)
    query = select(Delegation).where(Delegation.id == delegation_id, *_in_force(now))
    found = there(db.scalar(query.where(Delegation.giver_id.in_(reach))))
    found.revoked_at = now
    audit.done(db, "delegation_revoked", found, _told(found), by=staff, now=now)


def _in_force(now: datetime) -> tuple[ColumnElement[bool], ...]:
    known = Delegation.act.in_(ACTS)  # rows outlive an act that is taken out of the table
    return Delegation.revoked_at.is_(None), Delegation.ends_at > now, known


def _told(about: Delegation) -> dict[str, audit.Detail]:
    return {"act": about.act, "giver": about.giver_id, "taker": about.taker_id}
