"""The end of a clinic's day: what was given and wasted, and counted by two."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from healthcert.errors import BadInput, NeedsAnother, there
from healthcert.models import (
    Appointment,
    ClinicSession,
    Dose,
    Lot,
    Product,
    Site,
    Slot,
    Staff,
    Stock,
    StockCount,
    StockMove,
)
from healthcert.services import audit, facts, stock
from healthcert.services.stock import Shelf

_OUT = ("given", "wasted", "transferred_out", "returned")
_OF_COUNTS = ("counts", "beyond")


class LotSum(NamedTuple):
    """What became of a lot at a site on a day, in single doses."""

    lot: Lot
    product: str
    remaining: int
    # By column of `Stock`; ``counts``: how often two counted it, ``beyond``: how many more it was.
    today: Mapping[str, int]
    recorded: int  # doses of it on record that day, those in error left out: as many as given
    waits: UUID | None  # who counted it first, where a second person is still to
    counted: bool  # today, by two, and nothing moved since

    @property
    def began(self) -> int:
        """Return what there was when the day began: with all that moved, it is what remains."""
        net = {name: count for name, count in self.today.items() if name not in _OF_COUNTS}
        return self.remaining - sum(-n if name in _OUT else n for name, n in net.items())


class SessionSum(NamedTuple):
    """A session of a day, and its appointments by state."""

    session: ClinicSession
    product: str
    to_come: int  # how many of its times are not over
    states: dict[str, int]


def sums(
    db: Session, *, site: Site, day: date, now: datetime
) -> tuple[list[LotSum], list[SessionSum]]:
    """Return what a day comes to: its lots, and its sessions.

    What remains of a lot, and began the day, is for nobody to see who is still to count it.
    """
    begins = datetime.combine(day, time(), ZoneInfo(site.time_zone))
    moved: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    recorded: dict[UUID, int] = {}
    kinds = (StockMove.lot_id, StockMove.kind, StockMove.total)
    moves = select(*kinds, func.sum(StockMove.change)).group_by(*kinds)
    moves = moves.where(StockMove.site_id == site.id, StockMove.recorded_at >= begins)
    word = literal("recorded")
    given = select(Dose.lot_id, word, word, func.count()).group_by(Dose.lot_id)
    given = given.where(Dose.site_id == site.id, Dose.recorded_on == day, ~facts.IN_ERROR)
    for lot_id, kind, total, change in db.execute(moves.union_all(given)):
        if kind == "recorded":
            recorded[lot_id] = change
            continue
        moved[lot_id][total] += change
        moved[lot_id]["counts"] += kind == "counted"
        moved[lot_id]["beyond"] += change if kind == "counted" else 0
    waits = select(StockCount.counted_by).where(StockCount.site_id == site.id)
    waits = waits.where(StockCount.lot_id == Stock.lot_id, StockCount.state == "open")
    last = exists().where(
        StockMove.site_id == site.id, StockMove.lot_id == Stock.lot_id,
        StockMove.ordinal == Stock.moves, StockMove.kind == "counted",
        StockMove.recorded_at >= begins,
    )  # fmt: skip
    shelves = (
        select(Stock, Lot, Product.name, waits.scalar_subquery(), last)
        .join(Lot, Lot.id == Stock.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .where(Stock.site_id == site.id)
        .order_by(Product.name, Lot.number)
    )
    lots = [
        LotSum(lot, name, each.remaining, moved[lot.id], recorded.get(lot.id, 0), first, counted)
        for each, lot, name, first, counted in db.execute(shelves)
    ]
    shown = [each for each in lots if each.remaining or each.today]
    return shown, _sessions(db, site.id, day, now)


def _sessions(db: Session, site_id: UUID, day: date, now: datetime) -> list[SessionSum]:
    later = aliased(Slot)
    still = select(func.count(later.id)).where(later.session_id == ClinicSession.id)
    to_come = still.where(later.ends_at > now).correlate(ClinicSession).scalar_subquery()
    query = (
        select(ClinicSession, Product.name, to_come, Appointment.state, func.count(Appointment.id))
        .join(Product, Product.id == ClinicSession.product_id)
        .outerjoin(Slot, Slot.session_id == ClinicSession.id)
        .outerjoin(Appointment, Appointment.slot_id == Slot.id)
        .where(ClinicSession.site_id == site_id, ClinicSession.day == day)
        # One that other hours put beside its own tells nothing where nobody was booked in it.
        .where((ClinicSession.state != "cancelled") | Appointment.id.is_not(None))
        .group_by(ClinicSession.id, Product.name, Appointment.state)
        .order_by(ClinicSession.id)
    )
    found: dict[UUID, SessionSum] = {}
    for session, product, left, state, count in db.execute(query):
        each = found.setdefault(session.id, SessionSum(session, product, left, {}))
        each.states[state or "none"] = count
    return list(found.values())


def count(db: Session, *, lot_id: UUID, found: int, staff: Staff, now: datetime) -> str:
    """Count a lot at one's site; return ``open``, or whether two people ``confirmed`` it.

    The first count waits. A second person counts without seeing it: as many, and the
    balance moves to it; else both counts are ``dropped``, and it begins anew.

    Raises:
        BadInput: ``found`` is below 0, or is not what the first person counted.
        NeedsAnother: The same person counts twice.
        NotFound: The site has none of that lot.
    """
    its, alone = (staff.site_id, lot_id), {"key_share": True}  # two may count at once
    shelf = there(None if staff.site_id is None else db.get(Stock, its, with_for_update=alone))
    if found < 0:
        raise BadInput({"found": "not_so_many"})
    one = select(StockCount).filter_by(site_id=shelf.site_id, lot_id=lot_id, state="open")
    first = db.scalar(one.with_for_update())
    if first is None:
        first = StockCount(
            recorded_at=now, site_id=shelf.site_id, lot_id=lot_id, found=found, counted_by=staff.id
        )
        db.add(first)
        db.flush()
        return first.state
    if first.counted_by == staff.id:
        raise NeedsAnother
    first.state = "dropped" if found != first.found else "confirmed"
    if first.state == "dropped":
        audit.done(db, "stock_counts_differ", first, {"second": found}, by=staff, now=now)
        return first.state
    first.confirmed_by = staff.id
    stock.count_again(
        db, Shelf(shelf.site_id, lot_id), found, staff=db.get_one(Staff, first.counted_by),
        confirmed_by=staff, now=now,
    )  # fmt: skip
    return first.state
