"""Lots in a table: they come into quarantine, and somebody else releases them."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import Dose, Lot, LotValidity, Product, StockMove
from healthcert.services import cells, lots
from healthcert.services.cells import Kind, Setting
from healthcert.services.elsewhere import day_in
from healthcert.services.facts import LONGEST_LOT, lot_number
from healthcert.services.sheets import Line

_COLUMNS = ("product", "number", "expires_on")


class _LotLine(NamedTuple):
    product_id: UUID
    number: str
    expires_on: date


def _read_lot(db: Session, _setting: Setting, line: Line) -> _LotLine:
    told = line.cells
    number, product = lot_number(told["number"]), Product.code == told["product"].upper()
    if len(number) > LONGEST_LOT:
        raise BadInput({"number": "too_long"})
    product_id = cells.found(db.scalar(select(Product.id).where(product)), "product")
    return _LotLine(product_id, number, cells.day(told, "expires_on"))


def _known_lot(db: Session, _setting: Setting, line: _LotLine) -> UUID | None:
    found = db.execute(
        select(Lot.id, LotValidity.expires_on)
        .join(LotValidity, LotValidity.lot_id == Lot.id)
        .where(Lot.product_id == line.product_id, Lot.number == line.number)
        .order_by(LotValidity.ordinal.desc())
    ).first()
    if found is not None and found.expires_on != line.expires_on:
        raise BadInput({"expires_on": "contradicts_record"})
    return found.id if found else None


def _write_lot(db: Session, setting: Setting, line: _LotLine) -> UUID:
    since = day_in(setting.country, setting.now)
    return lots.enter(db, since=since, staff=setting.by, now=setting.now, **line._asdict()).id


def _set_aside(db: Session, setting: Setting, lot_id: UUID) -> bool:
    leaning = or_(exists().where(Dose.lot_id == lot_id), exists().where(StockMove.lot_id == lot_id))
    lot = db.get_one(Lot, lot_id)
    if lot.state == "recalled" or db.scalar(select(leaning)):
        return False
    # No lot is deleted. One that is in quarantine still is out of use without an order.
    lots.order(
        db, lot_id=lot_id, state="quarantined", since=None, reason="import_taken_back",
        staff=setting.by, country=setting.country, now=setting.now,
    )  # fmt: skip
    return True


LOTS = Kind(
    "lots", _COLUMNS, _COLUMNS,
    _read_lot, lambda lot: (lot.product_id, lot.number), _known_lot, cells.each(_write_lot),
    _set_aside, by_staff=True,
)  # fmt: skip
