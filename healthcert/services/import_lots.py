"""Lots in a table."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import Lot, LotValidity, Product
from healthcert.services import cells
from healthcert.services.importing import Kind, Setting
from healthcert.services.sheets import Line

_COLUMNS = ("product", "number", "released_on", "expires_on")


class _LotLine(NamedTuple):
    product_id: UUID
    number: str
    released_on: date
    expires_on: date


def _read_lot(db: Session, _setting: Setting, line: Line) -> _LotLine:
    told = line.cells
    code = told["product"].upper()
    product_id = cells.id_of(db, select(Product.id).where(Product.code == code), "product")
    lot = _LotLine(
        product_id,
        "".join(told["number"].split()).upper(),
        cells.day(told, "released_on"),
        cells.day(told, "expires_on"),
    )
    if lot.expires_on < lot.released_on:
        raise BadInput({"expires_on": "before_release"})
    return lot


def _known_lot(db: Session, _setting: Setting, line: _LotLine) -> UUID | None:
    found = db.execute(
        select(Lot.id, LotValidity.expires_on)
        .join(LotValidity, LotValidity.lot_id == Lot.id)
        .where(Lot.product_id == line.product_id, Lot.number == line.number)
        .order_by(LotValidity.since.desc())
    ).first()
    if found is not None and found.expires_on != line.expires_on:
        raise BadInput({"expires_on": "contradicts_record"})
    return found.id if found else None


def _write_lot(db: Session, setting: Setting, line: _LotLine) -> UUID:
    lot = Lot(
        recorded_at=setting.now, product_id=line.product_id, number=line.number, state="released"
    )
    lot_id = cells.added(db, lot)
    validity = _validity(setting, lot, line.released_on, line.expires_on)
    validity.since, validity.state = line.released_on, "released"
    db.add(validity)
    db.flush()
    return lot_id


def _validity(setting: Setting, lot: Lot, released: date, expires: date) -> LotValidity:
    return LotValidity(
        recorded_at=setting.now, lot_id=lot.id, product_id=lot.product_id,
        released_on=released, expires_on=expires,
    )  # fmt: skip


def _stays(_db: Session, _setting: Setting, _row_id: UUID) -> bool:
    return False


LOTS = Kind(
    "lots", _COLUMNS, _COLUMNS,
    _read_lot, lambda lot: (lot.product_id, lot.number), _known_lot, _write_lot, _stays,
)  # fmt: skip
