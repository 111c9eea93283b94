"""Facts are always recorded; their certificates wait where something about them is odd.

One vaccinator who writes down more in an hour than anybody can give, a site that nobody has looked
at yet, a withdrawal: the dose stands, its certificate stays intended until an officer who did not
write it releases it. The database refuses to have it issued before (`certificate_held`).
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, select, update
from sqlalchemy.orm import Session, aliased, join, outerjoin

from healthcert.errors import NeedsAnother, NotAllowed, NotFound, TooMany, there
from healthcert.models import Certificate, CertificateHold, Dose, Site, SiteProbation, Staff
from healthcert.models.base import new_id, upsert
from healthcert.services import audit, delegating, invitations, limits
from healthcert.services.statement import Fact

_JUST_NOW = timedelta(minutes=1)
_HOLD = CertificateHold
_OF = {"cap": _HOLD.recorded_by, "probation": _HOLD.site_id, "withdrawn": _HOLD.fact_id}


class Held(NamedTuple):
    """What one release lets go: the facts of who wrote them down, those of a site, or one."""

    why: str
    of: UUID  # both as `release` takes them
    name: str | Mapping[str, str]  # of who wrote it down, or the site, by language; or the UVCI
    since: datetime
    not_by: UUID | None  # who may not: the author, or the officer who has released the site
    facts: int


def held(*why: str) -> ColumnElement[bool]:
    """Return the condition that a certificate waits for somebody's release, for such a reason."""
    waits = exists().where(_HOLD.fact_id == _fact(Certificate), _HOLD.released_at.is_(None))
    return waits.where(_HOLD.why.in_(why)) if why else waits


def _fact(of: type[Certificate]) -> ColumnElement[UUID]:
    return func.coalesce(of.dose_id, of.test_result_id, of.recovery_id)


def watch(db: Session, *, fact: Fact, now: datetime) -> None:
    """Count a fact that is to be certified, and hold it where it is one too many.

    One written down before was counted then; the lines of a table that an operator takes in, with
    their numbers and their author, are not a vaccinator's hour.
    """
    old = now - fact.recorded_at > _JUST_NOW
    if old or (isinstance(fact, Dose) and fact.import_key is not None):
        return
    by = db.get_one(Staff, fact.recorded_by)
    site_id = (fact.site_id if isinstance(fact, Dose) else None) or by.site_id
    try:
        limits.spend(db, name="certify", identity=by.id.hex, about=("staff", by.id), now=now)
    except TooMany:
        hold(db, [fact], why="cap", now=now)
    if site_id and db.scalar(_unreleased(site_id)):
        about = ("site", site_id)
        limits.spend(db, name="certify_on_probation", identity=site_id.hex, about=about, now=now)
        hold(db, [fact], why="probation", site_id=site_id, now=now)


def hold(
    db: Session, facts: Collection[Fact], *, why: str, site_id: UUID | None = None, now: datetime
) -> None:
    """Let the next certificates of some facts wait, and those again that were released before."""
    rows = [{
        "id": new_id(), "recorded_at": now, "fact_id": fact.id, "why": why,
        "recorded_by": fact.recorded_by, "site_id": site_id,
    } for fact in facts]  # fmt: skip
    if rows:
        anew = {"released_by": None, "released_at": None}
        insert = upsert(db, "certificate_hold")
        db.execute(insert.on_conflict_do_update(index_elements=["fact_id", "why"], set_=anew), rows)


def waiting(
    db: Session, *, reach: Select[UUID] | None = None, of: UUID | None = None, uvci: str = ""
) -> list[Held]:
    """Return what waits in `reach` (or anywhere), 200 a reason at most; by `of` or `uvci` one."""
    found = []
    for why, query in _waiting().items():
        key, name, since, not_by, facts, body = query.subquery().c
        wanted = select(key, name, since, not_by, facts).order_by(since).limit(200)
        wanted = wanted if reach is None else wanted.where(body.in_(reach))
        wanted = wanted.where(key == of) if of else wanted
        wanted = wanted.where(name == uvci) if uvci and why == "withdrawn" else wanted
        found += [Held(why, *row) for row in db.execute(wanted)]
    return found


def _waiting() -> dict[str, Select[*tuple[Any, ...]]]:
    """Return what waits, by reason, as `Held` has it; last, whose organisation's it is."""
    fact, other, new, author = _fact(Certificate), aliased(Certificate), SiteProbation, Staff.id
    # A withdrawn certificate's own identifier: its holder, who appeals, knows no other.
    known = select(other.uvci).where(other.person_id == Certificate.person_id, _fact(other) == fact)
    known = known.where(other.state.in_(("revoked", "intended")))
    uvci = known.order_by(other.state.desc(), other.id.desc()).limit(1).scalar_subquery()
    facts, body = func.count(_HOLD.id), func.coalesce(Site.organisation_id, Staff.organisation_id)
    whose = join(_HOLD, Staff, author == _HOLD.recorded_by)
    whose, still = outerjoin(whose, Site, Site.id == Staff.site_id), _HOLD.released_at.is_(None)
    cap = select(_HOLD.recorded_by, Staff.name, func.min(_HOLD.recorded_at), author, facts, body)
    cap = cap.select_from(whose).group_by(_HOLD.recorded_by, author, Site.id)
    one = select(_HOLD.fact_id, uvci, _HOLD.recorded_at, author, literal(1), body)
    one = one.select_from(whose).join(Certificate, fact == _HOLD.fact_id)
    one = one.where(Certificate.state == "intended", _HOLD.why == "withdrawn", still)
    site = select(
        Site.id, Site.names, new.recorded_at, new.released_by, facts, Site.organisation_id
    )
    here = and_(_HOLD.why == "probation", still, _HOLD.site_id == Site.id)
    site = site.join_from(new, Site, Site.id == new.site_id).outerjoin(_HOLD, here)
    site = site.where(new.confirmed_by.is_(None)).group_by(Site.id, new.id)
    return {"cap": cap.where(_HOLD.why == "cap", still), "probation": site, "withdrawn": one}


def let_go(db: Session, *, why: str, of: UUID, staff: Staff, now: datetime) -> None:
    """Release what waits in an officer's reach: those of a site, of an author, or of one fact.

    Raises:
        NotFound: Nothing of the kind waits there.
        NeedsAnother: They wrote it down themselves, have released the site before, or are new here.
    """
    reach = delegating.within(db, staff=staff, act="release_certificates", now=now)
    if why not in {one.why for one in waiting(db, reach=reach, of=of)}:
        raise NotFound
    if why == "probation":
        release_site(db, site_id=of, staff=staff, now=now)
    else:
        release(db, why=why, of=of, staff=staff, now=now)


def release(db: Session, *, why: str, of: UUID, staff: Staff, now: datetime) -> int:
    """Let certificates that wait be signed; return how many facts it were.

    `of` is, by `why`: the member of staff who wrote them down (``cap``), the site (``probation``),
    or the one fact (``withdrawn``), whose holder appealed.

    Raises:
        NotAllowed: For officers alone.
        NeedsAnother: They wrote it down themselves.
    """
    if staff.role != "admin":
        raise NotAllowed
    these = (_OF[why] == of, _HOLD.why == why, _HOLD.released_at.is_(None))
    if db.scalar(select(exists().where(*these, _HOLD.recorded_by == staff.id))):
        raise NeedsAnother
    let_go = update(_HOLD).where(*these).values(released_by=staff.id, released_at=now)
    count = len(db.execute(let_go.returning(_HOLD.id)).all())
    _note(db, staff, "certificates_released", of, {"why": why, "count": count}, now)
    return count


def release_site(db: Session, *, site_id: UUID, staff: Staff, now: datetime) -> bool:
    """Release a new site; return whether this was the second officer, with whom it ends.

    Raises:
        NotAllowed: For officers alone.
        NotFound: No such site is on probation.
        NeedsAnother: This officer has released it before, or is new here.
    """
    if staff.role != "admin":
        raise NotAllowed
    invitations.refuse_newcomer(db, staff_id=staff.id, now=now)
    row = there(db.scalar(_unreleased(site_id).with_for_update()))
    if row.released_by == staff.id:
        raise NeedsAnother
    second = row.released_by is not None
    if second:
        row.confirmed_by = staff.id
        release(db, why="probation", of=site_id, staff=staff, now=now)
    else:
        row.released_by = staff.id
    _note(db, staff, "site_released", site_id, {"second": second}, now)
    db.flush()
    return second


def _unreleased(site_id: UUID) -> Select[SiteProbation]:
    return select(SiteProbation).filter_by(site_id=site_id, confirmed_by=None)


def _note(
    db: Session, staff: Staff, act: str, of: UUID, about: Mapping[str, audit.Detail], now: datetime
) -> None:
    actor, subject = audit.Actor("staff", staff.id), audit.Subject("certificate_hold", of)
    audit.note(db, actor=actor, act=act, subject=subject, details=about, now=now)
