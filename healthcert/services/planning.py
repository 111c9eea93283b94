"""The sessions that are planned: seen, and made larger."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from healthcert.errors import BadInput, WrongState, there
from healthcert.models import Appointment, AuditEvent, ClinicSession, Product, Site, Slot, Staff
from healthcert.models.place import CANCELLABLE, KEPT
from healthcert.services import audit
from healthcert.services.part import Part
from healthcert.services.sessions import MOST

_SAME = ("site_id", "day", "product_id")


def listed(
    db: Session, *, site_ids: Collection[UUID], first: date, limit: int = 0,
    part: Part | None = None, session_ids: Collection[UUID] | None = None,
) -> Sequence[Row[ClinicSession, Site, str, int, int, int, str | None]]:  # fmt: skip
    """Return the sessions of sites from a day on: what is given, slots, places and bookings.

    By day, so many; or a `part` of them site by site; or of some alone. `lost` are the references
    of who was booked in a cancelled one and found no other place. By day a cancelled one is left
    out where another took its place, once everybody has another time.
    """
    these = [ClinicSession.site_id.in_(site_ids), ClinicSession.day >= first]
    these += [] if session_ids is None else [ClinicSession.id.in_(session_ids)]
    unplaced = select(AuditEvent.subject_id).where(AuditEvent.act == "appointment_unplaced")
    its, other = aliased(Slot), aliased(ClinicSession)
    lost = (
        select(func.aggregate_strings(Appointment.reference, " "))
        .join(its, its.id == Appointment.slot_id)
        .where(its.session_id == ClinicSession.id, ClinicSession.state == "cancelled")
        .where(Appointment.state == "cancelled", Appointment.id.in_(unplaced))
    )
    theirs = lost.correlate(ClinicSession).scalar_subquery()
    query = (
        select(
            ClinicSession, Site, Product.name.label("product"), func.count(Slot.id).label("slots"),
            func.coalesce(func.sum(Slot.capacity), 0).label("places"),
            func.coalesce(func.sum(Slot.booked), 0).label("booked"),
            theirs.label("lost"),
        )
        .join(Site, Site.id == ClinicSession.site_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .outerjoin(Slot, Slot.session_id == ClinicSession.id)
        .group_by(ClinicSession.id, Site.id, Product.id)
    )  # fmt: skip
    if part is None:
        same = [getattr(other, name) == getattr(ClinicSession, name) for name in _SAME]
        open_one = select(other.id).where(*same, other.state != "cancelled").exists()
        waits = (ClinicSession.state != "cancelled") | (func.sum(Slot.booked) > 0)
        query = query.having(waits | theirs.is_not(None) | ~open_one)
        query = query.where(*these).order_by(ClinicSession.day, Site.code, Product.name)
        return db.execute(query.limit(limit)).all()
    key = ClinicSession.site_id, ClinicSession.day, ClinicSession.product_id, ClinicSession.id
    ids = part.of(select(ClinicSession.id).where(*these), *key)
    return db.execute(query.where(ClinicSession.id.in_(ids)).order_by(*key)).all()


def slots_of(db: Session, *, site_id: UUID, product_id: UUID, day: date) -> list[Slot]:
    """Return the slots of a product at a site on a day, in their order; of no cancelled session."""
    query = select(Slot).join(ClinicSession, ClinicSession.id == Slot.session_id)
    query = query.where(ClinicSession.site_id == site_id, ClinicSession.product_id == product_id)
    query = query.where(ClinicSession.day == day, ClinicSession.state != "cancelled")
    return list(db.scalars(query.order_by(Slot.starts_at)))


def resize(
    db: Session, *, session_id: UUID, site_ids: Collection[UUID], capacity: int,
    kept: Mapping[str, int] | None = None, staff: Staff, now: datetime,
) -> None:  # fmt: skip
    """Give each slot of a session at one of some sites so many places; `kept` for its pools.

    Raises:
        BadInput: More are booked or kept in one of its slots, or it is too many.
        NotFound: No such session there.
        WrongState: It is over, or cancelled.
    """
    if not 1 <= capacity <= MOST:
        raise BadInput({"capacity": "not_a_count"})
    pools = {f"kept_{pool}": count for pool, count in (kept or {}).items() if pool in KEPT}
    wrong = [name for name, count in pools.items() if not 0 <= count <= capacity]
    if wrong or len(pools) < len(kept or ()):
        raise BadInput(dict.fromkeys(wrong or ["kept_phone"], "kept_too_many"))
    query = select(ClinicSession).where(ClinicSession.site_id.in_(site_ids))
    about = there(db.scalar(query.filter_by(id=session_id).with_for_update()))
    if about.state not in CANCELLABLE:
        raise WrongState
    larger = update(Slot).where(Slot.session_id == session_id).values(capacity=capacity, **pools)
    try:
        with db.begin_nested():
            db.execute(larger, execution_options={"synchronize_session": False})
    except IntegrityError:
        raise BadInput({"capacity": "booked_already"}) from None
    audit.done(db, "session_resized", about, {"capacity": capacity, **pools}, by=staff, now=now)
