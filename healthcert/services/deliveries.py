"""Deliveries: what came, told by the scan of a carton or by hand."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import Knowledge, Lot, LotValidity, Product, Staff
from healthcert.policy import gs1
from healthcert.services import cold_chain, facts, lots, stock
from healthcert.services.stock import Shelf


@dataclass(frozen=True, slots=True)
class Delivery:
    """What somebody tells of a delivery: the scan of a carton, or the rest by hand; doses."""

    quantity: int
    scan: str = ""
    product_id: UUID | None = None
    number: str = ""
    expires_on: date | None = None
    fridge_id: UUID | None = None
    vvm_stage: int | None = None  # that the monitor on its vials shows, where they have one


def receive(
    db: Session, told: Delivery, *, site_id: UUID, today: date, staff: Staff, now: datetime
) -> Lot:
    """Write down what was delivered; a lot that is new to us begins in quarantine.

    Raises:
        BadInput: A field is missing, cannot be read, or says another last day than our books.
        NotFound, WrongState: Another site or its fridge, or no such product; the fridge is gone.
    """
    carton = gs1.read(told.scan, today=today) if told.scan else gs1.Carton()
    product_id = of_carton(db, carton.gtin).id if carton.gtin else told.product_id
    number = facts.lot_number(carton.lot or told.number)
    ends = carton.expires_on or told.expires_on
    missing = {"product": product_id, "number": number, "expires_on": ends}
    if not (product_id and number and ends):
        raise BadInput({name: "missing" for name, value in missing.items() if not value})
    lot = lots.enter(
        db, product_id=product_id, number=number, expires_on=ends, since=today, staff=staff,
        now=now,
    )  # fmt: skip
    # Of a lot that was extended, cartons go on saying the day they were printed with.
    if db.scalar(select(LotValidity.id).filter_by(lot_id=lot.id, expires_on=ends).limit(1)) is None:
        raise BadInput({"expires_on": "differs"})
    shelf = Shelf(site_id, lot.id)
    stock.move(db, shelf, "received", told.quantity, staff=staff, now=now, fridge_id=told.fridge_id)
    if told.vvm_stage is not None:
        cold_chain.look(db, shelf, told.vvm_stage, staff=staff, now=now)
    return lot


def scanned(db: Session, scan: str, *, site_id: UUID, today: date) -> Lot:
    """Return the lot of a carton, which may be given at a site today.

    Raises:
        BadInput: ``scan``: see `gs1.read` and `of_carton`, or ``not_usable``.
    """
    carton = gs1.read(scan, today=today)
    product, number = of_carton(db, carton.gtin), facts.lot_number(carton.lot)
    if number not in facts.lots_on(db, product_id=product.id, site_id=site_id, day=today):
        raise BadInput({"scan": "not_usable"})
    return db.scalars(select(Lot).filter_by(product_id=product.id, number=number)).one()


def of_carton(db: Session, gtin: str) -> Product:
    """Return the product whose cartons have a GTIN.

    Raises:
        BadInput: ``scan``: ``unknown_carton``.
    """
    query = select(Product, Knowledge).join(Knowledge, Knowledge.id == Product.knowledge_id)
    for product, row in db.execute(query):
        if gtin in row.content.get("gtins", ()):
            return product
    raise BadInput({"scan": "unknown_carton"})
