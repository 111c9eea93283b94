"""The sessions that are planned: seen, made larger, and cancelled when a site closes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import (
    Appointment,
    AuditEvent,
    ClinicSession,
    Product,
    Site,
    SiteClosure,
    Slot,
    Staff,
    new_id,
    upsert,
)  # fmt: skip
from healthcert.models.place import PLANNED, SESSION_TRANSITIONS, SessionTemplate
from healthcert.services import audit
from healthcert.services.part import Part
from healthcert.services.sessions import MOST

_OPEN = [state for state, to in SESSION_TRANSITIONS.items() if "cancelled" in to]


def listed(
    db: Session, *, site_ids: Collection[UUID], first: date, limit: int = 0,
    part: Part | None = None, session_ids: Collection[UUID] = (),
) -> Sequence[Row[ClinicSession, Site, str, int, int, int, str | None]]:  # fmt: skip
    """Return the sessions of sites from a day on: what is given, slots, places and bookings.

    By day, so many; or a `part` of them site by site; or of some alone. `lost` are the references
    of who was booked in a cancelled one and found no other place.
    """
    these = [ClinicSession.site_id.in_(site_ids), ClinicSession.day >= first]
    these += [ClinicSession.id.in_(session_ids)] if session_ids else []
    unplaced = select(AuditEvent.subject_id).where(AuditEvent.act == "appointment_unplaced")
    its = aliased(Slot)
    lost = (
        select(func.aggregate_strings(Appointment.reference, " "))
        .join(its, its.id == Appointment.slot_id)
        .where(its.session_id == ClinicSession.id, ClinicSession.state == "cancelled")
        .where(Appointment.state == "cancelled", Appointment.id.in_(unplaced))
    )
    query = (
        select(
            ClinicSession, Site, Product.name.label("product"), func.count(Slot.id).label("slots"),
            func.coalesce(func.sum(Slot.capacity), 0).label("places"),
            func.coalesce(func.sum(Slot.booked), 0).label("booked"),
            lost.correlate(ClinicSession).scalar_subquery().label("lost"),
        )
        .join(Site, Site.id == ClinicSession.site_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .outerjoin(Slot, Slot.session_id == ClinicSession.id)
        .group_by(ClinicSession.id, Site.id, Product.id)
    )  # fmt: skip
    if part is None:
        query = query.where(*these).order_by(ClinicSession.day, Site.code, Product.name)
        return db.execute(query.limit(limit)).all()
    key = ClinicSession.site_id, ClinicSession.day, ClinicSession.product_id
    ids = part.of(select(ClinicSession.id).where(*these), *key)
    return db.execute(query.where(ClinicSession.id.in_(ids)).order_by(*key)).all()


def slots_of(db: Session, *, site_id: UUID, product_id: UUID, day: date) -> list[Slot]:
    """Return the slots of a product at a site on a day, in their order."""
    query = select(Slot).join(ClinicSession, ClinicSession.id == Slot.session_id)
    query = query.where(ClinicSession.site_id == site_id, ClinicSession.product_id == product_id)
    return list(db.scalars(query.where(ClinicSession.day == day).order_by(Slot.starts_at)))


def resize(
    db: Session, *, session_id: UUID, site_ids: Collection[UUID], capacity: int,
    kept: Mapping[str, int] | None = None, staff: Staff, now: datetime,
) -> None:  # fmt: skip
    """Give each slot of a session at one of some sites so many places; `kept` for its pools.

    Raises:
        BadInput: More are booked or kept in one of its slots, or it is too many.
        NotFound: No such session there.
    """
    if not 1 <= capacity <= MOST:
        raise BadInput({"capacity": "not_a_count"})
    pools = {f"kept_{pool}": count for pool, count in (kept or {}).items() if pool in PLANNED}
    if len(pools) < len(kept or ()) or not all(0 <= each <= capacity for each in pools.values()):
        raise BadInput({"kept_phone": "kept_too_many"})
    query = select(ClinicSession).where(ClinicSession.site_id.in_(site_ids))
    about = db.scalar(query.filter_by(id=session_id))
    if about is None:
        raise NotFound
    larger = update(Slot).where(Slot.session_id == session_id).values(capacity=capacity, **pools)
    try:
        with db.begin_nested():
            db.execute(larger, execution_options={"synchronize_session": False})
    except IntegrityError:
        raise BadInput({"capacity": "booked_already"}) from None
    audit.done(db, "session_resized", about, {"capacity": capacity, **pools}, by=staff, now=now)


def close_day(db: Session, *, site_id: UUID, day: date, staff: Staff, now: datetime) -> int:
    """Close a site for a day and cancel its sessions; return how many.

    The worker books everybody anew who is booked there (`services.rebooking`).

    Raises:
        BadInput: The day is over, by the site's clock.
    """
    if day < now.astimezone(ZoneInfo(db.get_one(Site, site_id).time_zone)).date():
        raise BadInput({"day": "too_long_ago"})
    closed = {"id": new_id(), "recorded_at": now, "site_id": site_id, "day": day}
    db.execute(upsert(db, "site_closure").values(closed).on_conflict_do_nothing())
    closure = db.scalars(select(SiteClosure).filter_by(site_id=site_id, day=day)).one()
    audit.done(db, "day_closed", closure, {"site": site_id}, by=staff, now=now)
    there = select(ClinicSession).filter_by(site_id=site_id, day=day)
    open_ones = db.scalars(there.where(ClinicSession.state.in_(_OPEN)).with_for_update()).all()
    _cancel(db, open_ones, staff, now)
    return len(open_ones)


def meant(
    db: Session, *, session_id: UUID, site_ids: Collection[UUID], later: bool = False, now: datetime
) -> Sequence[ClinicSession]:
    """Return a session at one of some sites, or the open ones of its plan from its day on.

    Raises:
        NotFound: No such session there, or it is too long ago to book anybody anew.
    """
    query = select(ClinicSession).where(ClinicSession.site_id.in_(site_ids))
    query = query.where(ClinicSession.day >= (now - timedelta(days=1)).date())
    one = db.scalar(query.filter_by(id=session_id))
    if one is None:
        raise NotFound
    if not later or one.template_id is None:
        return [one]
    its = query.filter_by(template_id=one.template_id).where(ClinicSession.day >= one.day)
    still = or_(ClinicSession.id == one.id, ClinicSession.state.in_(_OPEN))
    return db.scalars(its.where(still).order_by(ClinicSession.day)).all()


def cancel(
    db: Session, *, session_id: UUID, site_ids: Collection[UUID], later: bool = False,
    staff: Staff, now: datetime,
) -> None:  # fmt: skip
    """Cancel what is `meant`, all or none; the worker books everybody anew who is booked there.

    With `later` the plan ends: it makes nothing from the first of these days on.

    Raises:
        NotFound: No such session there, or it is too long ago to book anybody anew.
        WrongState: It is over, or cancelled already.
    """
    its = select(ClinicSession.template_id).filter_by(id=session_id).scalar_subquery()
    locked = select(SessionTemplate).where(SessionTemplate.id == its).with_for_update()
    plan = db.scalar(locked) if later else None  # nobody makes more of it meanwhile
    sessions = meant(db, session_id=session_id, site_ids=site_ids, later=later, now=now)
    _cancel(db, sessions, staff, now)
    if plan is not None:  # it has one day at least; its first has its session already
        plan.last_day = max(plan.first_day, sessions[0].day - timedelta(days=1))
        audit.done(db, "template_ended", plan, {}, by=staff, now=now)


def _cancel(db: Session, these: Sequence[ClinicSession], staff: Staff, now: datetime) -> None:
    moved = update(ClinicSession).where(ClinicSession.id.in_([one.id for one in these]))
    moved = moved.where(ClinicSession.state.in_(_OPEN)).values(state="cancelled")
    if len(db.scalars(moved.returning(ClinicSession.id)).all()) < len(these):
        raise WrongState
    for about in these:
        audit.done(db, "session_cancelled", about, {}, by=staff, now=now)
