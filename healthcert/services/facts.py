"""A dose as it was told: read, and written down as the fact it is."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import Appointment, Lot, LotValidity, Product, Site, Staff, Stock
from healthcert.models.dose import BODY_SITES, ROUTES, Dose, DoseStanding

LONGEST_LOT = 20  # GS1 application identifier 10
CLOCK_SLACK = timedelta(minutes=5)  # between a clinic's clock and ours
_Named = tuple[UUID, str]  # by product and number
_BY_NUMBER = (Lot.product_id == Dose.product_id) & (Lot.number == Dose.lot_text)
LOT = func.coalesce(Dose.lot_id, select(Lot.id).where(_BY_NUMBER).correlate(Dose).scalar_subquery())
"""The lot of a dose; of one our books learned of later, by product and number."""
IN_ERROR = exists().where(
    DoseStanding.dose_id == Dose.id, DoseStanding.counts == "entered_in_error"
)
"""That a dose was entered in error."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a nurse tells of a dose: the number on the vial, where it went, when, and how."""

    lot: str  # as read from the vial
    body_site: str  # one of `BODY_SITES`
    given_at: datetime  # aware
    route: str = ""  # one of `ROUTES` (EDQM), or empty
    performed_by: UUID | None = None  # who gave it, where that is not who writes it down


class Unbooked(NamedTuple):
    """Whose dose it was, and of which programme, where nobody had an appointment for it."""

    person_id: UUID
    programme_id: UUID
    appointment_id: None = None


def read(told: Told, *, now: datetime) -> Told:
    """Return what was told, the lot without blanks and in upper case.

    Raises:
        BadInput: ``lot``, ``body_site``, ``route`` or ``given_at`` cannot be used.
    """
    lot = lot_number(told.lot)
    wrong = place_wrong(lot, told.body_site, told.route)
    if not lot:
        wrong["lot"] = "missing"
    if not told.body_site:
        wrong["body_site"] = "missing"
    if told.given_at > now + CLOCK_SLACK:
        wrong["given_at"] = "in_the_future"
    if wrong:
        raise BadInput(wrong)
    return replace(told, lot=lot)


def write(
    db: Session, told: Told, *, origin: Appointment | Unbooked | Dose, site: Site, product: Product,
    staff: Staff, now: datetime,
) -> Dose:  # fmt: skip
    """Write down a dose of an appointment, of none, or in the place of another that was wrong.

    Who gave the wrong one gave the right one, where nobody else is told.
    """
    recorded_on, wrong = _day(now, site), origin if isinstance(origin, Dose) else None
    named = (product.id, told.lot)
    before = wrong and wrong.performed_by
    dose = Dose(
        recorded_at=now, person_id=origin.person_id, programme_id=origin.programme_id,
        site_id=site.id,
        appointment_id=origin.id if isinstance(origin, Appointment) else origin.appointment_id,
        performed_by=told.performed_by or before or staff.id, given_at=told.given_at,
        given_on=min(_day(told.given_at, site), recorded_on), recorded_on=recorded_on,
        product_id=product.id, lot_text=told.lot,
        **held_lots(db, [named], with_stock=True)[named], body_site=told.body_site,
        route=told.route or None, recorded_by=staff.id, replaces=wrong and wrong.id,
    )  # fmt: skip
    db.add(dose)
    db.flush()
    return dose


def held_lots(
    db: Session, told: Collection[_Named], *, with_stock: bool = False
) -> dict[_Named, dict[str, UUID]]:
    """Return as `known_lots` the lots of doses that are about to be written, so that orders wait.

    So does who enters a lot of these products that is new to our books (`lots.enter`): a recall
    finds them. Doses `with_stock` hold their lot with that, which is locked before lots.
    """
    products = select(Product.id).where(Product.id.in_({product_id for product_id, _ in told}))
    db.execute(products.order_by(Product.id).with_for_update(read=True, key_share=True)).all()
    if not with_stock:
        lots = select(Lot.id).where(Lot.number.in_({number for _, number in told}))
        db.execute(lots.order_by(Lot.id).with_for_update(read=True)).all()
    return known_lots(db, told)


def known_lots(db: Session, told: Iterable[_Named]) -> dict[_Named, dict[str, UUID]]:
    """Return by product and number the columns of a dose that name a lot in our books, or none."""
    query = select(Lot).where(Lot.number.in_({number for _, number in told}))
    found: dict[_Named, dict[str, UUID]] = defaultdict(dict)
    for lot in db.scalars(query):
        columns = {"lot_id": lot.id, "lot_product_id": lot.product_id}
        found[lot.product_id, lot.number] = columns
    return found


def of_lot(lot_id: UUID | None) -> ColumnElement[bool]:
    """Return the condition that a dose is of a lot: what `LOT` says, found by indexes.

    A dose that was written down before our books knew the lot names it by its number alone, since
    no dose is changed.
    """
    product, number = (
        select(column).where(Lot.id == lot_id).scalar_subquery()
        for column in (Lot.product_id, Lot.number)
    )
    early = and_(Dose.lot_id.is_(None), Dose.product_id == product, Dose.lot_text == number)
    return or_(Dose.lot_id == lot_id, early)


def lot_number(text: str) -> str:
    """Return the number of a lot without blanks and in upper case."""
    return "".join(text.split()).upper()


def place_wrong(lot: str, body_site: str, route: str) -> dict[str, str]:
    """Return what is wrong with a lot, a site of the body and a route, by field."""
    wrong = {}
    if len(lot) > LONGEST_LOT:
        wrong["lot"] = "too_long"
    if body_site and body_site not in BODY_SITES:
        wrong["body_site"] = "not_a_choice"
    if route and route not in ROUTES:
        wrong["route"] = "not_a_choice"
    return wrong


def lots_on(db: Session, *, product_id: UUID, site_id: UUID, day: date) -> list[str]:
    """Return the numbers of lots whose validity covers a day, none that is used up or set aside.

    What ends first stands first.
    """
    aside = select(Stock.lot_id).where(Stock.site_id == site_id, Stock.set_aside.is_not(None))
    aside = aside.where(Stock.remaining > 0)  # an empty shelf refuses nothing
    query = (
        select(Lot, LotValidity)
        .join(LotValidity, LotValidity.lot_id == Lot.id)
        .where(Lot.product_id == product_id, LotValidity.since <= day, Lot.id.not_in(aside))
        .where(Lot.state != "exhausted")
        .order_by(Lot.number, LotValidity.ordinal)
    )
    in_force = {lot.number: validity for lot, validity in db.execute(query)}
    return [
        number
        for number, validity in sorted(in_force.items(), key=lambda one: one[1].expires_on)
        if validity.state == "released" and validity.released_on <= day <= validity.expires_on
    ]


def _day(moment: datetime, site: Site) -> date:
    return moment.astimezone(ZoneInfo(site.time_zone)).date()
