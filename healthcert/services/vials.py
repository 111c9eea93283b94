"""Vials that are open: until when each may be used, what is left in it, what is thrown away.

What is left is told by the doses of the lot that were given since, or wasted by hand out of open
vials, the vial opened first emptied first: so nothing is wasted a second time with the rest.
A vial past its time refuses nothing: pages warn, and what was given is written down.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from healthcert.errors import BadInput, WrongState, there
from healthcert.models import Dose, Lot, Product, Site, Staff, Stock, StockMove, Vial
from healthcert.services import knowledge, lots, stock
from healthcert.services.stock import Shelf

_OUT_OF_OPEN = ("opened_vial", "drawn_up")  # why such doses are wasted


@dataclass(slots=True)
class Opened:
    """A vial that is or was open, and how many doses are left in it."""

    vial: Vial
    lot: Lot
    product: Product
    left: int
    barred: bool  # its lot is not to be given: not released, recalled, or set aside here

    def minutes(self, now: datetime) -> int:
        """Return for how many minutes it may still be used; 0 where its time is over, or barred."""
        left = (self.vial.use_until - now) // timedelta(minutes=1)
        return 0 if self.barred else max(0, left)


def begin(
    db: Session, shelf: Shelf, *, staff: Staff, now: datetime, thawed_on: date | None = None
) -> Vial:
    """Return a vial of a shelf that was opened now; those of its lot that are empty are finished.

    It may be used as long as its file says, yet not after the last day of the lot, nor longer after
    `thawed_on` than thawed ones last; that is on the carton, where somebody wrote it.

    Raises:
        BadInput: Such a vaccine comes in no vial for several people, or the day is to come.
        NotFound: Another site's shelf, or no such lot.
    """
    found = stock.balance(db, shelf, staff)
    lot, zone = db.get_one(Lot, shelf.lot_id), ZoneInfo(db.get_one(Site, shelf.site_id).time_zone)
    told = knowledge.rule_of(db, lot.product_id).content.get("vial")
    if told is None:
        raise BadInput({"lot": "no_vial"})
    if thawed_on and thawed_on > now.astimezone(zone).date():
        raise BadInput({"thawed_on": "in_the_future"})
    last = lots.newest(db, lot.id).expires_on
    if thawed_on and "thaw_days" in told:
        last = min(last, thawed_on + timedelta(days=told["thaw_days"]))
    ends = datetime.combine(last + timedelta(days=1), time.min, zone)
    for each in opened(db, site_id=shelf.site_id):
        if each.lot is lot and not each.left:
            each.vial.state, each.vial.ended_at = "finished", now
    vial = Vial(
        recorded_at=now, site_id=shelf.site_id, lot_id=lot.id, opened_by=staff.id,
        doses=told["doses"], thawed_on=thawed_on,
        use_until=min(now + timedelta(hours=told["open_hours"]), ends),
    )  # fmt: skip
    db.add(vial)
    db.flush()
    stock.note(db, "vial_opened", found, staff.id, now, doses=vial.doses)
    return vial


def opened(db: Session, *, site_id: UUID) -> list[Opened]:
    """Return the vials that are open at a site, that whose time is over first first."""
    other, back = aliased(Vial), aliased(StockMove)
    beside = exists().where(
        other.site_id == site_id, other.lot_id == Vial.lot_id, other.state == "open",
        or_(Vial.ended_at.is_(None), Vial.ended_at >= other.recorded_at),
    )  # fmt: skip
    since = and_(
        StockMove.site_id == site_id, StockMove.lot_id == Vial.lot_id, StockMove.kind == "given",
        StockMove.recorded_at >= Vial.recorded_at,
        ~exists().where(back.dose_id == StockMove.dose_id, back.kind == "given_back"),
    )  # fmt: skip
    barred = Lot.state.in_(("quarantined", "recalled")) | Stock.set_aside.is_not(None)
    query = select(Vial, Lot, Product, barred, Dose.id, Dose.given_at)
    query = query.where(Vial.site_id == site_id, beside)
    of_it = and_(Stock.site_id == site_id, Stock.lot_id == Vial.lot_id)
    query = query.join(Stock, of_it)
    query = query.join(Lot, Lot.id == Vial.lot_id).join(Product, Product.id == Lot.product_id)
    query = query.outerjoin(StockMove, since).outerjoin(Dose, Dose.id == StockMove.dose_id)
    query = query.order_by(Vial.recorded_at, Vial.id).execution_options(populate_existing=True)
    found: dict[UUID, Opened] = {}
    given: dict[UUID, tuple[datetime, UUID]] = {}  # each dose once, whichever vial it may be from
    for vial, lot, product, is_barred, dose_id, given_at in db.execute(query):
        found.setdefault(vial.id, Opened(vial, lot, product, vial.doses, bool(is_barred)))
        if given_at:
            given[dose_id] = given_at, lot.id
    for at, lot_id in sorted([*given.values(), *_wasted(db, site_id, found.values())]):
        _take_out(lot_id, at, found.values())
    still = [each for each in found.values() if each.vial.state == "open"]
    return sorted(still, key=lambda each: each.vial.use_until)


def discard(db: Session, *, vial_id: UUID, staff: Staff, now: datetime) -> int:
    """End a vial and waste what is left in it; return how many doses that were.

    Raises:
        NotFound: No such vial at the site of this member of staff.
        WrongState: It ended before.
    """
    vial = there(db.scalar(select(Vial).filter_by(id=vial_id, site_id=staff.site_id)))
    shelf = Shelf(vial.site_id, vial.lot_id)
    found = stock.balance(db, shelf, staff)  # nobody else gives or wastes of it meanwhile
    here = {each.vial.id: each for each in opened(db, site_id=vial.site_id)}
    if vial.id not in here:
        raise WrongState
    left = min(here[vial.id].left, found.remaining)
    vial.state, vial.ended_at = "discarded" if left else "finished", now
    db.flush()
    if left:
        stock.move(
            db, shelf, "wasted", left, reason="opened_vial", besides=True, staff=staff, now=now
        )
    stock.note(db, f"vial_{vial.state}", found, staff.id, now, doses=left)
    return left


def _wasted(db: Session, site_id: UUID, found: Collection[Opened]) -> list[tuple[datetime, UUID]]:
    """Return each dose that was wasted by hand since the first of some vials was opened.

    What was set right is of the time when it was first written down. The rest of a vial that ended
    is out of no other.
    """
    if not found:
        return []
    back = aliased(StockMove)
    is_back = exists().where(back.answers == StockMove.id, back.kind == "wasted_back")
    query = select(StockMove, is_back, stock.REST).order_by(StockMove.lot_id, StockMove.ordinal)
    query = query.where(StockMove.site_id == site_id, StockMove.kind == "wasted")
    query = query.where(StockMove.recorded_at >= min(each.vial.recorded_at for each in found))
    begun, most = dict[UUID, datetime](), sum(each.vial.doses for each in found)
    out: list[tuple[datetime, UUID]] = []
    for move, was_back, rest in db.execute(query.where(StockMove.reason.in_(_OUT_OF_OPEN))):
        first = begun.get(move.replaces) if move.replaces else move.recorded_at
        if first is None or rest:
            continue
        begun[move.id] = first
        out += [] if was_back else [(first, move.lot_id)] * min(move.quantity, most)
    return out


def _take_out(lot_id: UUID, at: datetime, found: Iterable[Opened]) -> None:
    """Take a dose out of the vial opened first of those that it may be from."""
    for each in found:
        # To the minute, as nurses tell when a dose was given.
        begun = each.vial.recorded_at.replace(second=0, microsecond=0)
        fits = begun <= at <= (each.vial.ended_at or at)
        if fits and each.left and each.lot.id == lot_id:
            each.left -= 1
            return
