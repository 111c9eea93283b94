"""The sessions that are planned: seen, made larger, and cancelled when a site closes."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select, update
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
from healthcert.models.place import SESSION_TRANSITIONS
from healthcert.services import audit
from healthcert.services.part import Part
from healthcert.services.sessions import MOST

_OPEN = [state for state, to in SESSION_TRANSITIONS.items() if "cancelled" in to]


def listed(
    db: Session, *, site_ids: Collection[UUID], first: date, limit: int = 0,
    part: Part | None = None, session_id: UUID | None = None,
) -> Sequence[Row[ClinicSession, Site, str, int, int, int, str | None]]:  # fmt: skip
    """Return the sessions of sites from a day on: what is given, slots, places and bookings.

    By day, so many; or a `part` of them site by site; or one alone. `lost` are the references of
    who was booked in a cancelled one and found no other place.
    """
    these = [ClinicSession.site_id.in_(site_ids), ClinicSession.day >= first]
    these += [ClinicSession.id == session_id] if session_id else []
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
    db: Session, *, session_id: UUID, site_ids: Collection[UUID], capacity: int, staff: Staff,
    now: datetime,
) -> None:  # fmt: skip
    """Give each slot of a session at one of some sites so many places, as for people who walk in.

    Raises:
        BadInput: More are booked or kept in one of its slots, or it is too many.
        NotFound: No such session there.
    """
    if not 1 <= capacity <= MOST:
        raise BadInput({"capacity": "not_a_count"})
    about = _there(db, session_id, site_ids)
    larger = update(Slot).where(Slot.session_id == session_id).values(capacity=capacity)
    try:
        with db.begin_nested():
            db.execute(larger, execution_options={"synchronize_session": False})
    except IntegrityError:
        raise BadInput({"capacity": "booked_already"}) from None
    audit.done(db, "session_resized", about, {"capacity": capacity}, by=staff, now=now)


def close_day(db: Session, *, site_id: UUID, day: date, staff: Staff, now: datetime) -> int:
    """Close a site for a day and cancel its sessions; return how many.

    The worker books everybody anew who is booked there (`services.rebooking`).

    Raises:
        BadInput: The day is over, by the site's clock.
    """
    _refuse_past(db, site_id, day, now)
    closed = {"id": new_id(), "recorded_at": now, "site_id": site_id, "day": day}
    db.execute(upsert(db, "site_closure").values(closed).on_conflict_do_nothing())
    closure = db.scalars(select(SiteClosure).filter_by(site_id=site_id, day=day)).one()
    audit.done(db, "day_closed", closure, {"site": site_id}, by=staff, now=now)
    there = select(ClinicSession.id).filter_by(site_id=site_id, day=day)
    open_ones = db.scalars(there.where(ClinicSession.state.in_(_OPEN)).with_for_update()).all()
    for session_id in open_ones:
        cancel(db, session_id=session_id, site_ids=[site_id], staff=staff, now=now)
    return len(open_ones)


def cancel(
    db: Session, *, session_id: UUID, site_ids: Collection[UUID], staff: Staff, now: datetime
) -> None:
    """Cancel one session at one of some sites; the worker books everybody anew who is booked there.

    Raises:
        BadInput: Its day is over.
        NotFound: No such session there.
        WrongState: It is over, or cancelled already.
    """
    about = _there(db, session_id, site_ids)
    if about.state not in _OPEN:
        raise WrongState
    _refuse_past(db, about.site_id, about.day, now)
    about.state = "cancelled"
    db.flush()
    audit.done(db, "session_cancelled", about, {}, by=staff, now=now)


def _there(db: Session, session_id: UUID, site_ids: Collection[UUID]) -> ClinicSession:
    """Return a session at one of some sites that nobody else changes until this ends."""
    query = select(ClinicSession).where(ClinicSession.site_id.in_(site_ids))
    locked = query.filter_by(id=session_id).with_for_update(key_share=True)
    found = db.scalar(locked.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def _refuse_past(db: Session, site_id: UUID, day: date, now: datetime) -> None:
    if day < now.astimezone(ZoneInfo(db.get_one(Site, site_id).time_zone)).date():
        raise BadInput({"day": "too_long_ago"})
