"""Stock: what a site has of a lot; received, given, wasted, sent on, counted again.

The database adds the moves up. Balances are locked before lots, in the order of their sites.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NotAllowed, NotFound, WrongState, there
from healthcert.models import Base, Dose, Fridge, Lot, Staff, Stock, StockCount, StockMove, Vial
from healthcert.models.stock import WASTE_REASONS
from healthcert.services import alarms, audit

_BY_HAND = ("received", "overfill", "wasted", "returned")
# Whether the balance of a `Stock` waits for a second count, from whom it is kept until then.
COUNTING = (
    select(StockCount.id)
    .where(StockCount.site_id == Stock.site_id, StockCount.lot_id == Stock.lot_id)
    .where(StockCount.state == "open")
    .exists()
    .label("counting")
)
# Whether a `StockMove` is what was left in a vial, wasted when that was discarded.
REST = exists().where(
    Vial.site_id == StockMove.site_id, Vial.lot_id == StockMove.lot_id, Vial.state == "discarded",
    Vial.ended_at == StockMove.recorded_at,
)  # fmt: skip
_LATELY = timedelta(days=1)
_NEW = ("received", "transferred_in")  # beyond the label was in the fridge with its vial


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the doses of one lot lie at one site."""

    site_id: UUID
    lot_id: UUID


def take(db: Session, *, dose: Dose, now: datetime) -> None:
    """Take a dose that was given from the stock of its site; it was given, so nothing refuses.

    Beyond the balance an `unexplained` dose comes in first, and oversight is told; of one that is
    set aside, or of a recalled lot, an alarm tells. A lot not in our books, and a dose given
    elsewhere, has no stock.
    """
    if dose.lot_id is None or dose.site_id is None or dose.source != "point_of_care":
        return
    stock = locked(db, Shelf(dose.site_id, dose.lot_id))
    state = db.scalar(select(Lot.state).where(Lot.id == dose.lot_id).with_for_update(read=True))
    if stock.remaining < 1:
        enter(db, stock, "unexplained", by=dose.recorded_by, now=now, dose_id=dose.id)
        note(db, "stock_unexplained", stock, dose.recorded_by, now, dose=dose.id)
    for kind, is_so in (
        ("dose_set_aside", stock.set_aside is not None), ("dose_recalled", state == "recalled"),
    ):  # fmt: skip
        if is_so:
            alarms.sound(db, kind=kind, about=("dose", dose.id), now=now)
    enter(db, stock, "given", by=dose.recorded_by, now=now, dose_id=dose.id)


def give_back(db: Session, *, dose: Dose, by: UUID, now: datetime) -> None:
    """Take back what an entry in error took, with what it brought in unexplained.

    Whatever the reason, this entry used no vial: the right one takes its own, and what was drawn
    up for nobody is wasted, by an act of its own.
    """
    took = {move.kind: move for move in db.scalars(select(StockMove).filter_by(dose_id=dose.id))}
    for kind, back in (("given", "given_back"), ("unexplained", "explained")):
        if kind in took and back not in took:
            stock = locked(db, Shelf(took[kind].site_id, took[kind].lot_id))
            enter(db, stock, back, by=by, now=now, dose_id=dose.id, answers=took[kind].id)


def move(
    db: Session, shelf: Shelf, kind: str, quantity: int, *, staff: Staff, now: datetime,
    reason: str | None = None, fridge_id: UUID | None = None, besides: bool = False,
) -> None:  # fmt: skip
    """Write down that doses came to a shelf, in one of its fridges, or left it.

    `kind` is ``received``, ``overfill`` (what vials hold beyond their label), ``wasted``, with one
    of `WASTE_REASONS`, or ``returned`` (to where they came from); `quantity` in single doses.
    `staff` are those of the site, or an administrator. What is left in a vial is wasted when it is
    discarded: who tells the same within a day of that says that it is `besides`.

    Raises:
        BadInput: No such kind or reason, or there are not so many; ``besides``, where it is needed.
        NotFound, WrongState: Another site's shelf or fridge, or no such lot; the fridge is gone.
    """
    if kind not in _BY_HAND:
        raise BadInput({"kind": "not_a_choice"})
    if (reason in WASTE_REASONS) != (kind == "wasted"):
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    stock = _asked(db, shelf, staff, quantity, leaves=kind in ("wasted", "returned"))
    if reason == "opened_vial" and not besides and _discarded_lately(db, shelf, now):
        raise BadInput({"besides": "wasted_already"})
    fridge = fridge_id and in_use(db, fridge_id, shelf.site_id).id
    enter(db, stock, kind, quantity, by=staff.id, now=now, reason=reason, fridge=fridge)
    if kind == "received":
        closed = update(Lot).where(Lot.id == shelf.lot_id, Lot.state == "exhausted")
        db.execute(closed.values(state="released"))
    note(db, f"stock_{kind}", stock, staff.id, now, quantity=quantity, reason=reason)


def _discarded_lately(db: Session, shelf: Shelf, now: datetime) -> bool:
    """Say whether the rest of a vial of a shelf was wasted within a day."""
    of = select(StockMove.id).filter_by(site_id=shelf.site_id, lot_id=shelf.lot_id, kind="wasted")
    of = of.where(StockMove.reason == "opened_vial", StockMove.recorded_at > now - _LATELY, REST)
    return db.scalar(of.limit(1)) is not None


def transfer(
    db: Session, shelf: Shelf, quantity: int, *, to: UUID, staff: Staff, now: datetime
) -> None:
    """Move doses of a released lot to the same shelf of another site.

    Raises:
        BadInput: It is the same site, or there are not so many; the lot is not released, or what
            is here was set aside.
        NotFound: As `move`, or there is no such other site.
    """
    if to == shelf.site_id:
        raise BadInput({"to": "not_a_choice"})
    for site_id in sorted((shelf.site_id, to)):
        locked(db, Shelf(site_id, shelf.lot_id))
    stock, there = _asked(db, shelf, staff, quantity, leaves=True), Shelf(to, shelf.lot_id)
    lot = db.get_one(Lot, shelf.lot_id, populate_existing=True, with_for_update={"read": True})
    if lot.state != "released" or stock.set_aside is not None:
        raise BadInput({"lot": "frozen"})
    out = enter(db, stock, "transferred_out", quantity, by=staff.id, now=now)
    enter(db, locked(db, there), "transferred_in", quantity, by=staff.id, now=now, answers=out.id)
    note(db, "stock_transferred", stock, staff.id, now, quantity=quantity, to=to)


def count_again(
    db: Session, shelf: Shelf, found: int, *, staff: Staff, confirmed_by: Staff, now: datetime
) -> int:
    """Bring a balance to what was counted; return how many were found beyond it, or below 0.

    Each count is a move, also one that finds nothing beyond: two people answer for it.

    Raises:
        BadInput, NotFound: As `move`, for both.
        NotAllowed: Both are one.
    """
    if staff.id == confirmed_by.id:
        raise NotAllowed
    _asked(db, shelf, confirmed_by, found + 1)
    stock = _asked(db, shelf, staff, found + 1)
    beyond = found - stock.remaining
    second = confirmed_by.id
    enter(db, stock, "counted", beyond, by=staff.id, now=now, confirmed_by=second)
    note(db, "stock_counted", stock, staff.id, now, found=found, beyond=beyond, second=second)
    return beyond


def lay(db: Session, shelf: Shelf, *, fridge_id: UUID | None, staff: Staff, now: datetime) -> None:
    """Say in which fridge all of a lot lies, as once it is thawed; None for several, or unknown.

    Raises:
        NotFound, WrongState: Another site's shelf or fridge, or no such lot; the fridge is gone.
    """
    found = balance(db, shelf, staff)
    found.fridge_id = fridge_id and in_use(db, fridge_id, shelf.site_id).id
    db.flush()
    note(db, "stock_laid", found, staff.id, now, fridge=fridge_id)


def balance(db: Session, shelf: Shelf, staff: Staff) -> Stock:
    """Return a balance that this member of staff may move, locked.

    Raises:
        NotFound: Another site's shelf, or no such lot.
    """
    if staff.role != "admin" and staff.site_id != shelf.site_id:
        raise NotFound
    return locked(db, shelf)


def in_use(db: Session, fridge_id: UUID, site_id: UUID | None, *, shared: bool = True) -> Fridge:
    """Return a fridge of a site (NotFound), in use (WrongState) until this transaction ends."""
    one = select(Fridge).filter_by(id=fridge_id, site_id=site_id).with_for_update(read=shared)
    fridge = there(db.scalar(one, execution_options={"populate_existing": True}))
    if fridge.gone_at is not None:
        raise WrongState
    return fridge


def _asked(
    db: Session, shelf: Shelf, staff: Staff, quantity: int, *, leaves: bool = False
) -> Stock:
    """Return the balance of a shelf this member of staff may move, for so many doses."""
    stock = balance(db, shelf, staff)
    if quantity < 1:
        raise BadInput({"quantity": "not_a_count"})
    if leaves and quantity > stock.remaining:
        raise BadInput({"quantity": "not_so_many"})
    return stock


def locked(db: Session, shelf: Shelf) -> Stock:
    """Return a balance that nobody else moves until this transaction ends, begun where needed."""
    one = select(Stock).where(Stock.site_id == shelf.site_id, Stock.lot_id == shelf.lot_id)
    locked = one.with_for_update(key_share=True).execution_options(populate_existing=True)
    if (stock := db.scalar(locked)) is None:
        with suppress(IntegrityError), db.begin_nested():  # somebody else may just have begun it
            row = {"site_id": shelf.site_id, "lot_id": shelf.lot_id}
            db.execute(insert(Base.metadata.tables["stock"]).values(row))
        stock = there(db.scalar(locked))
    return stock


def enter(
    db: Session, stock: Stock, kind: str, quantity: int = 1, *, by: UUID, now: datetime,
    fridge: UUID | None = None, **more: UUID | str | None,
) -> StockMove:  # fmt: skip
    """Write the next move of a balance that is locked; bring the balance up to it.

    What is new on an empty shelf was not there when that was set aside; what comes back to it was.
    What is new lies in a `fridge`, or nobody says where; beside what lies elsewhere, in several.
    """
    if kind in _NEW and not more.get("replaces"):
        stock.set_aside = stock.set_aside if stock.remaining else None
        stock.fridge_id = fridge if fridge == stock.fridge_id or not stock.remaining else None
    move = StockMove(
        recorded_at=now, site_id=stock.site_id, lot_id=stock.lot_id, ordinal=stock.moves + 1,
        kind=kind, quantity=quantity, moved_by=by, **more,
    )  # fmt: skip
    db.add(move)
    db.flush()
    db.refresh(stock)  # the trigger moved it
    return move


def note(
    db: Session, act: str, stock: Stock, by: UUID, now: datetime, **details: audit.Detail
) -> None:
    """Write down what was done with a shelf."""
    subject = audit.Subject("lot", stock.lot_id)
    told = {"site": stock.site_id, **details}
    audit.note(db, actor=audit.Actor("staff", by), act=act, subject=subject, details=told, now=now)
