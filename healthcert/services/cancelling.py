"""What will not be after all: a session cancelled, a day closed and opened again, a plan ended."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import ClinicSession, Product, Site, SiteClosure, Staff, new_id, upsert
from healthcert.models.place import CANCELLABLE, SessionTemplate
from healthcert.services import audit, resting, sessions

_Plan = Row[SessionTemplate, Site, str]  # with what it gives


def close_day(db: Session, *, site_id: UUID, day: date, staff: Staff, now: datetime) -> int:
    """Close a site for a day and cancel its sessions; return how many.

    The worker books everybody anew who is booked there (`services.rebooking`). What was closed by
    a holiday stays closed then, also when that is withdrawn.

    Raises:
        BadInput: The day is over, by the site's clock.
    """
    still_to_come(db.get_one(Site, site_id, with_for_update=sessions.ALONE), "day", day, now)
    return shut(db, site_id, day, staff=staff, now=now)


def open_day(
    db: Session, *, site_id: UUID, day: date, country: Country, staff: Staff, now: datetime
) -> None:
    """Open a site again on a day that was closed; its plans make anew what they have on that day.

    What was cancelled stays so; who was booked anew keeps that, and who is not finds these places.

    Raises:
        BadInput: The day is over, by the site's clock, or a holiday is declared there.
        WrongState: The site is open then.
    """
    site = db.get_one(Site, site_id, with_for_update=sessions.ALONE)
    still_to_come(site, "day", day, now)
    closure = db.scalar(select(SiteClosure).filter_by(site_id=site_id, day=day))
    if closure is None:
        raise WrongState
    if resting.at(db, site, day):
        raise BadInput({"day": "holiday"})
    reopen(db, closure, country, staff=staff, now=now)


def shut(
    db: Session, site_id: UUID, day: date, *, staff: Staff | None, now: datetime,
    holiday_id: UUID | None = None,
) -> int:  # fmt: skip
    """Close a site, which is locked, as `close_day` does: by hand, or for a holiday."""
    row = {"id": new_id(), "recorded_at": now, "site_id": site_id, "day": day}
    of = {"holiday_id": holiday_id}
    closed = upsert(db, "site_closure").values(row | of)
    db.execute(closed.on_conflict_do_update(index_elements=["site_id", "day"], set_=of))
    closure = db.scalars(select(SiteClosure).filter_by(site_id=site_id, day=day)).one()
    audit.done(db, "day_closed", closure, of | {"site": site_id}, by=staff, now=now)
    there = select(ClinicSession.id).filter_by(site_id=site_id, day=day)
    open_ones = db.scalars(there.where(ClinicSession.state.in_(CANCELLABLE)).with_for_update())
    its = open_ones.all()
    cancel_all(db, its, staff, now)
    return len(its)


def reopen(
    db: Session, closure: SiteClosure, country: Country, *, staff: Staff | None, now: datetime
) -> None:
    """Take a closure away from a site, which is locked, as `open_day` does."""
    site_id, day = closure.site_id, closure.day
    told = {"site": site_id, "holiday": closure.holiday_id}
    audit.done(db, "day_opened", closure, told, by=staff, now=now)
    db.delete(closure)
    db.flush()
    query = select(SessionTemplate).filter_by(site_id=site_id).order_by(SessionTemplate.id)
    made = query.where(SessionTemplate.made_until >= day, SessionTemplate.last_day >= day)
    for plan in db.scalars(made).all():
        until = plan.made_until or day
        sessions.make(db, template_id=plan.id, country=country, until=until, now=now)


def cancel(
    db: Session, *, session_id: UUID, site_ids: Collection[UUID], staff: Staff, now: datetime
) -> None:
    """Cancel a session at one of some sites; the worker books everybody anew who is booked there.

    Raises:
        NotFound: No such session there, or it is too long ago to book anybody anew.
        WrongState: It is over, or cancelled already.
    """
    query = select(ClinicSession.id).where(ClinicSession.site_id.in_(site_ids))
    query = query.where(ClinicSession.day >= (now - timedelta(days=1)).date())
    if db.scalar(query.filter_by(id=session_id)) is None:
        raise NotFound
    cancel_all(db, [session_id], staff, now, given_up_at=now)


def running(db: Session, *, site_ids: Collection[UUID], first: date, limit: int) -> Sequence[_Plan]:
    """Return the plans of some sites that do not end by a day, by site."""
    plan = SessionTemplate
    goes_on = (plan.ended_from > first) & (plan.ended_from > plan.first_day)
    query = _plans(site_ids).where(plan.last_day >= first, plan.ended_from.is_(None) | goes_on)
    query = query.order_by(Site.code, Product.name, plan.first_day, plan.id)
    return db.execute(query.limit(limit)).all()


def ending(
    db: Session, *, template_id: UUID, site_ids: Collection[UUID], since: date, now: datetime
) -> tuple[_Plan, Sequence[UUID]]:
    """Return a plan of one of some sites, and its open sessions from a day on; refuse as `end`."""
    found = db.execute(_plans(site_ids).where(SessionTemplate.id == template_id)).one_or_none()
    if found is None:
        raise NotFound
    plan, site, _product = found
    still_to_come(site, "since", since, now)
    if since > plan.last_day:
        raise BadInput({"since": "over_by_then"})
    if plan.ended_from and since >= plan.ended_from:
        raise WrongState
    its = select(ClinicSession.id).filter_by(template_id=plan.id)
    its = its.where(ClinicSession.day >= since, ClinicSession.state.in_(CANCELLABLE))
    return found, db.scalars(its).all()


def end(
    db: Session, *, template_id: UUID, site_ids: Collection[UUID], since: date, staff: Staff,
    now: datetime,
) -> None:  # fmt: skip
    """End a plan from a day on, and cancel what it made from then on, as `cancel` does.

    Raises:
        BadInput: The day is over, by the site's clock, or comes after the last of the plan.
        NotFound: No such plan there.
        WrongState: The plan has ended by then.
    """
    at = select(SessionTemplate.site_id).filter_by(id=template_id).scalar_subquery()
    db.execute(select(Site.id).where(Site.id == at).with_for_update(key_share=True))
    (plan, *_), its = ending(db, template_id=template_id, site_ids=site_ids, since=since, now=now)
    plan.ended_from = since
    audit.done(db, "template_ended", plan, {"since": since.isoformat()}, by=staff, now=now)
    cancel_all(db, its, staff, now)


def _plans(site_ids: Collection[UUID]) -> Select[SessionTemplate, Site, str]:
    query = select(SessionTemplate, Site, Product.name).where(Site.id.in_(site_ids))
    query = query.join(Site, Site.id == SessionTemplate.site_id)
    return query.join(Product, Product.id == SessionTemplate.product_id)


def still_to_come(site: Site, name: str, day: date, now: datetime) -> None:
    """Refuse a day that is over by a site's clock, in the field of that name.

    Raises:
        BadInput: It is.
    """
    if day < now.astimezone(ZoneInfo(site.time_zone)).date():
        raise BadInput({name: "too_long_ago"})


def cancel_all(
    db: Session, these: Sequence[UUID], staff: Staff | None, now: datetime, **more: datetime
) -> None:
    """Cancel sessions, all of them or none; `more` is written beside their state.

    Raises:
        WrongState: One is over, or cancelled already.
    """
    moved = update(ClinicSession).where(ClinicSession.id.in_(these))
    moved = moved.where(ClinicSession.state.in_(CANCELLABLE)).values(state="cancelled", **more)
    done = db.scalars(moved.returning(ClinicSession)).all()
    if len(done) < len(these):
        raise WrongState
    for about in done:
        audit.done(db, "session_cancelled", about, {}, by=staff, now=now)
