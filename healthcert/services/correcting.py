"""Entries of a shelf: all that came and went, and what was written down wrong of it, set right.

Nothing is changed: another takes the wrong entry back, and writes the right one in its place. So
it goes too where the lot was recalled meanwhile, or the shelf set aside.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from healthcert.errors import BadInput, NeedsAnother, NotFound, WrongState
from healthcert.models import Lot, Product, Site, Staff, Stock, StockMove
from healthcert.models.stock import BY_HAND, WRONG_BECAUSE
from healthcert.services import audit, stock
from healthcert.services.part import Part
from healthcert.services.stock import Shelf

_CAME = ("received", "overfill", "transferred_in")
# What is set right so; what arrived elsewhere goes with what was sent.
CORRECTED = tuple(kind for kind in BY_HAND if kind != "transferred_in")
_MOST = 999_999  # more doses no shelf holds
# What was written down, by whom, who counted as second, a transfer's other site; by ordinal, what
# it takes back, what it stands in place of, what took it back, what stands in its place.
_Columns = tuple[StockMove, str, str | None, dict[str, str] | None,
                 int | None, int | None, int | None, int | None]  # fmt: skip
Entry = Row[*_Columns]


class TooFewLeft(BadInput):
    """Too much of what an entry brought has left its shelf, or it would take more than is there."""

    def __init__(self, wrong: str, left: int) -> None:
        """Take what is wrong with the number, and how many doses there are."""
        super().__init__({"quantity": wrong})
        self.left = left


def one_shelf(db: Session, *, site_id: UUID, lot_id: UUID) -> Row[Stock, Lot, Product]:
    """Return a shelf of a site, also an empty one.

    Raises:
        NotFound: The site never had any of that lot.
    """
    query = select(Stock, Lot, Product).join(Lot, Lot.id == Stock.lot_id)
    query = query.join(Product, Product.id == Lot.product_id)
    query = query.where(Stock.site_id == site_id, Stock.lot_id == lot_id)
    if (found := db.execute(query).one_or_none()) is None:
        raise NotFound
    return found


def entries(db: Session, *, site_id: UUID, lot_id: UUID, part: Part) -> Sequence[Entry]:
    """Return part of what came to a shelf and left it.

    Raises:
        NotFound: The site never had any of that lot.
    """
    one_shelf(db, site_id=site_id, lot_id=lot_id)
    query = _told().where(StockMove.site_id == site_id, StockMove.lot_id == lot_id)
    return db.execute(part.of(query, StockMove.ordinal)).all()


def entry(db: Session, *, site_id: UUID, move_id: UUID) -> Entry:
    """Return one entry of a shelf of a site.

    Raises:
        NotFound: No such entry there.
    """
    query = _told().where(StockMove.site_id == site_id, StockMove.id == move_id)
    if (found := db.execute(query).one_or_none()) is None:
        raise NotFound
    return found


def _told() -> Select[*_Columns]:
    second, own = aliased(Staff), StockMove.site_id
    back, right, answered, replaced, half = (aliased(StockMove) for _ in range(5))
    other_half = or_(half.id == StockMove.answers, half.answers == StockMove.id)
    return (
        select(
            StockMove, Staff.name.label("by"), second.name.label("second"),
            Site.names.label("other_site"), answered.ordinal.label("takes_back"),
            replaced.ordinal.label("in_place_of"), back.ordinal.label("taken_back_by"),
            right.ordinal.label("right_one"),
        )
        .join(Staff, Staff.id == StockMove.moved_by)
        .outerjoin(second, second.id == StockMove.confirmed_by)
        .outerjoin(answered, and_(answered.id == StockMove.answers, answered.site_id == own))
        .outerjoin(replaced, replaced.id == StockMove.replaces)
        .outerjoin(back, and_(back.answers == StockMove.id, back.site_id == own))
        .outerjoin(right, right.replaces == StockMove.id)
        .outerjoin(half, and_(other_half, half.site_id != own))
        .outerjoin(Site, Site.id == half.site_id)
    )  # fmt: skip


def correct(
    db: Session, *, move_id: UUID, why: str, staff: Staff, now: datetime, quantity: int = 0
) -> None:
    """Take back what was written down wrong, and write in its place how many doses it really were.

    With a `quantity` of 0 it never happened. `why` is one of `WRONG_BECAUSE`. Both halves of a
    transfer go together, where it was sent from.

    Raises:
        BadInput: It is not set right so, or not here; no such reason, or no such number; it is the
            number it has; or fewer doses than none would be left: the problem says how many are.
        NeedsAnother: Who wrote it down corrects it.
        NotFound: No such entry of a shelf of theirs.
        WrongState: It was taken back before.
    """
    wrong = db.get(StockMove, move_id)
    if wrong is None:
        raise NotFound
    arrived = select(StockMove).filter_by(answers=wrong.id, kind="transferred_in")
    halves = [wrong, *db.scalars(arrived)]
    shelves = {
        half.site_id: stock.locked(db, Shelf(half.site_id, half.lot_id))
        for half in sorted(halves, key=lambda half: half.site_id)
    }
    here = stock.balance(db, Shelf(wrong.site_id, wrong.lot_id), staff)
    _refuse(db, wrong, staff)
    _refuse_told(wrong, quantity, why)
    for half in halves:
        _refuse_too_few(half, quantity, shelves[half.site_id].remaining)
    right: StockMove | None = None
    for half in halves:
        # What the shelf gains goes first: in between it never holds fewer than none.
        for takes_back in (False, True) if half.kind in _CAME else (True, False):
            on = shelves[half.site_id]
            if takes_back:
                stock.enter(
                    db, on, f"{half.kind}_back", half.quantity, by=staff.id, now=now, reason=why,
                    answers=half.id,
                )  # fmt: skip
            elif quantity:
                sent = right.id if right and half.kind == "transferred_in" else None
                right = stock.enter(
                    db, on, half.kind, quantity, by=staff.id, now=now, reason=half.reason,
                    replaces=half.id, answers=sent,
                )  # fmt: skip
    _follow(db, wrong, quantity, staff, now)
    stock.note(
        db, "stock_corrected", here, staff.id, now, move=wrong.id, kind=wrong.kind,
        was=wrong.quantity, quantity=quantity, reason=why,
    )  # fmt: skip


def _refuse(db: Session, wrong: StockMove, staff: Staff) -> None:
    """Refuse what is not set right so, what was taken back before, and one's own."""
    if wrong.kind not in CORRECTED:
        raise BadInput({"move": "of_sender" if wrong.kind in BY_HAND else "not_by_hand"})
    back = select(StockMove.id).filter_by(answers=wrong.id, kind=f"{wrong.kind}_back")
    if db.scalar(back):
        raise WrongState
    if wrong.moved_by == staff.id:
        raise NeedsAnother


def _refuse_told(wrong: StockMove, quantity: int, why: str) -> None:
    """Refuse a reason or a number that is none, or that it has already."""
    told = {}
    if not 0 <= quantity <= _MOST:
        told["quantity"] = "not_a_number"
    elif quantity == wrong.quantity:
        told["quantity"] = "same"
    if why not in WRONG_BECAUSE:
        told["why"] = "not_a_choice" if why else "missing"
    if told:
        raise BadInput(told)


def _refuse_too_few(half: StockMove, quantity: int, left: int) -> None:
    came = half.kind in _CAME
    more = quantity - half.quantity if came else half.quantity - quantity
    if left + more < 0:
        raise TooFewLeft("gone_already" if came else "not_so_many", left)


def _follow(db: Session, wrong: StockMove, quantity: int, staff: Staff, now: datetime) -> None:
    """Open the lot again of which there is something after all; close that which never came."""
    lot = db.get_one(Lot, wrong.lot_id, populate_existing=True, with_for_update={"key_share": True})
    left = db.scalar(select(func.sum(Stock.remaining)).filter_by(lot_id=lot.id))
    if lot.state == "exhausted" and left:
        lot.state = "released"
    elif lot.state == "released" and not left and wrong.kind == "received" and not quantity:
        lot.state = "exhausted"
        audit.done(db, "lot_exhausted", lot, {}, by=staff, now=now)
    db.flush()
