"""What was written down wrong of a shelf, set right.

Nothing is changed: another takes the wrong entry back, and writes the right one in its place. So
it goes too where the lot was recalled meanwhile, or the shelf set aside.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, NeedsAnother, WrongState, there
from healthcert.models import Lot, Staff, Stock, StockMove
from healthcert.models.stock import BY_HAND, WRONG_BECAUSE
from healthcert.services import audit, stock
from healthcert.services.stock import Shelf

_CAME = ("received", "overfill", "transferred_in")
# What is set right so; what arrived elsewhere goes with what was sent.
CORRECTED = tuple(kind for kind in BY_HAND if kind != "transferred_in")
_MOST = 999_999  # more doses no shelf holds


class TooFewLeft(BadInput):
    """Too much of what an entry brought has left its shelf, or it would take more than is there."""

    def __init__(self, wrong: str, left: int) -> None:
        """Take what is wrong with the number, and how many doses there are."""
        super().__init__({"quantity": wrong})
        self.left = left


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
    wrong = there(db.get(StockMove, move_id))
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
