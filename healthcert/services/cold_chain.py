"""Cold chain: what is read on a fridge, or on vials, sets shelves aside that do not bear it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from healthcert.errors import BadInput, WrongState
from healthcert.models import Knowledge, Lot, LotValidity, Product, Staff, Stock
from healthcert.models.cold_chain import FRIDGES, VVM_STAGES, ColdReading, Fridge, Vial
from healthcert.services import alarms, audit, knowledge, stock
from healthcert.services.facts import CLOCK_SLACK
from healthcert.services.stock import Shelf
from healthcert.services.tidying import wrong_name


def shelves(
    db: Session, *, site_id: UUID, empty: bool = False
) -> Sequence[Row[Stock, Lot, Product, LotValidity, dict[str, Any], bool]]:
    """Return what a site has, by product and last day; last, its file, and `stock.COUNTING`.

    With the `empty`, also the lots of which it has nothing left.
    """
    other = aliased(LotValidity)
    last = select(func.max(other.ordinal)).where(other.lot_id == Lot.id)
    query = (
        select(Stock, Lot, Product, LotValidity, Knowledge.content, stock.COUNTING)
        .join(Lot, Lot.id == Stock.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .join(Knowledge, Knowledge.id == Product.knowledge_id)
        .join(LotValidity, LotValidity.lot_id == Lot.id)
        .where(Stock.site_id == site_id, LotValidity.ordinal == last.scalar_subquery())
    )
    if not empty:
        query = query.where(Stock.remaining > 0)
    return db.execute(query.order_by(Product.name, LotValidity.expires_on, Lot.number)).all()


def fridges(db: Session, *, site_id: UUID) -> Sequence[Row[Fridge, ColdReading]]:
    """Return the fridges that a site has in use, each with what was read last, or None."""
    other = aliased(ColdReading)
    newest = select(other.id).where(other.fridge_id == Fridge.id)
    newest = newest.order_by(other.taken_at.desc(), other.id.desc()).limit(1)
    query = select(Fridge, ColdReading).where(Fridge.site_id == site_id, Fridge.gone_at.is_(None))
    query = query.outerjoin(ColdReading, ColdReading.id == newest.scalar_subquery())
    return db.execute(query.order_by(Fridge.name)).all()


def add(db: Session, *, name: str, kind: str, staff: Staff, now: datetime) -> None:
    """Add a fridge or freezer to the site of a member of staff.

    Raises:
        BadInput: It has no name, too long a one or one that is taken, or is of no such kind.
    """
    name = name.strip()
    taken = select(Fridge.id).filter_by(site_id=staff.site_id, name=name, gone_at=None)
    if wrong := wrong_name(name) or ("taken" if db.scalar(taken) else ""):
        raise BadInput({"name": wrong})
    if kind not in FRIDGES:
        raise BadInput({"kind": "not_a_choice"})
    fridge = Fridge(recorded_at=now, site_id=staff.site_id, name=name, kind=kind)
    db.add(fridge)
    db.flush()
    audit.done(db, "fridge_added", fridge, {}, by=staff, now=now)


def retire(db: Session, *, fridge_id: UUID, into: UUID | None, staff: Staff, now: datetime) -> None:
    """Take a fridge out of use for good; what lies in it moves `into` another, where one is named.

    Raises:
        BadInput: ``into``: ``holds_stock``: doses still lie in it.
        NotFound, WrongState: One of the two is not of their site, or gone already.
    """
    fridge = stock.in_use(db, fridge_id, staff.site_id, shared=False)
    other = into and stock.in_use(db, into, staff.site_id).id
    here = Stock.fridge_id == fridge.id
    moved = update(Stock).where(here) if into else update(Stock).where(here, Stock.remaining == 0)
    db.execute(moved.values(fridge_id=other), execution_options={"synchronize_session": "fetch"})
    if db.scalar(select(Stock.lot_id).where(here).limit(1)):
        raise BadInput({"into": "holds_stock"})
    fridge.gone_at = now
    audit.done(db, "fridge_gone", fridge, {"into": other}, by=staff, now=now)


def read(
    db: Session, *, fridge_id: UUID, celsius: float, taken_at: datetime, staff: Staff, now: datetime
) -> list[UUID]:
    """Write down what was read on a fridge; return the lots of its site that are set aside for it.

    These are the lots that lie in this fridge, or where nobody said, and do not bear what was
    read. An alarm is raised for them. Empty shelves wait in silence: what an entry set right, or a
    count, brings back to them was there.

    Raises:
        BadInput: ``celsius`` or ``taken_at`` cannot be.
        NotFound, WrongState: No such fridge at the site of this member of staff, or it is gone.
    """
    fridge = stock.in_use(db, fridge_id, staff.site_id)
    if not -100 <= celsius <= 60:  # noqa: PLR2004 - what the database takes; nan neither
        raise BadInput({"celsius": "not_degrees"})
    if taken_at > now + CLOCK_SLACK:
        raise BadInput({"taken_at": "in_the_future"})
    reading = ColdReading(
        recorded_at=now, fridge_id=fridge.id, site_id=fridge.site_id, celsius=celsius,
        taken_at=min(taken_at, now), read_by=staff.id,
    )  # fmt: skip
    db.add(reading)
    db.flush()
    lies = (Stock.site_id == fridge.site_id, Stock.set_aside.is_(None))
    here = or_(Stock.fridge_id.is_(None), Stock.fridge_id == fridge.id)
    query = (
        select(Stock.lot_id, Stock.remaining, Knowledge.content)
        .join(Lot, Lot.id == Stock.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .join(Knowledge, Knowledge.id == Product.knowledge_id)
        .where(*lies, here)
    )
    found = db.execute(query).all()
    left = {lot: left for lot, left, told in found if not _bears(told, fridge.kind, celsius)}
    aside = update(Stock).where(*lies, Stock.lot_id.in_(left)).values(set_aside=reading.id)
    db.execute(aside, execution_options={"synchronize_session": False})
    harmed = [lot for lot in left if left[lot]]
    if harmed:
        alarms.sound(db, kind="cold_chain", about=("site", fridge.site_id), now=now)
    audit.done(db, "fridge_read", reading, {"set_aside": len(harmed)}, by=staff, now=now)
    return harmed


def look(db: Session, shelf: Shelf, stage: int, *, staff: Staff, now: datetime) -> None:
    """Write down what the monitor on a shelf's vials shows; from stage 3 on it is set aside.

    Raises:
        BadInput: ``vvm_stage``: there is no such stage, or these vials have no monitor.
        NotFound: Another site's shelf, or no such lot.
    """
    found = stock.balance(db, shelf, staff)
    told = knowledge.rule_of(db, db.get_one(Lot, shelf.lot_id).product_id).content
    if stage not in VVM_STAGES or not told.get("vial", {}).get("vvm"):
        raise BadInput({"vvm_stage": "not_a_choice"})
    reading = ColdReading(
        recorded_at=now, lot_id=shelf.lot_id, site_id=shelf.site_id, vvm_stage=stage,
        taken_at=now, read_by=staff.id,
    )  # fmt: skip
    db.add(reading)
    db.flush()
    if stage >= VVM_STAGES[2] and found.set_aside is None:
        found.set_aside = reading.id
        alarms.sound(db, kind="cold_chain", about=("site", shelf.site_id), now=now)
    audit.done(db, "monitor_read", reading, {"stage": stage}, by=staff, now=now)


def _bears(told: Mapping[str, Any], kind: str, celsius: float) -> bool:
    kept = told.get("storage", {}).get(kind)
    return kept is None or kept["least"] <= celsius <= kept["most"]


def settle(db: Session, shelf: Shelf, *, usable: bool, staff: Staff, now: datetime) -> None:
    """End the wait of a shelf that was set aside: it may be used again, or all of it is wasted.

    What is open of it is thrown away with the rest.
    What was not wasted after all, and comes back by an entry set right, still waits.

    Raises:
        NotFound: Another site's shelf.
        WrongState: It is not set aside, or nothing is left of it.
    """
    found = stock.balance(db, shelf, staff)
    if found.set_aside is None or not found.remaining:
        raise WrongState
    if usable:
        found.set_aside = None
    else:
        stock.move(db, shelf, "wasted", found.remaining, staff=staff, now=now, reason="cold_chain")
        its = update(Vial).filter_by(site_id=shelf.site_id, lot_id=shelf.lot_id, state="open")
        db.execute(its.values(state="discarded", ended_at=now))
    db.flush()
    stock.note(db, "stock_settled", found, staff.id, now, usable=usable)
