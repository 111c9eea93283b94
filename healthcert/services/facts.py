"""A dose as it was told: read, and written down as the fact it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput
from healthcert.models import Appointment, Dose, Lot, LotValidity, Product, Site, Staff
from healthcert.models.dose import BODY_SITES

LONGEST_LOT = 20  # GS1 application identifier 10
_CLOCK_SLACK = timedelta(minutes=5)  # between a clinic's clock and ours


@dataclass(frozen=True, slots=True)
class Told:
    """What a nurse tells of a dose: the number on the vial, where it went, and when."""

    lot: str
    body_site: str
    given_at: datetime


def read(lot_text: str, body_site: str, given_at: datetime, *, now: datetime) -> Told:
    """Return what was told, the lot without blanks and in upper case.

    Raises:
        BadInput: ``lot``, ``body_site`` or ``given_at`` cannot be used.
    """
    lot = "".join(lot_text.split()).upper()
    wrong = {}
    if not lot or len(lot) > LONGEST_LOT:
        wrong["lot"] = "too_long" if lot else "missing"
    if body_site not in BODY_SITES:
        wrong["body_site"] = "not_a_choice" if body_site else "missing"
    if given_at > now + _CLOCK_SLACK:
        wrong["given_at"] = "in_the_future"
    if wrong:
        raise BadInput(wrong)
    return Told(lot, body_site, given_at)


def write(
    db: Session,
    told: Told,
    *,
    appointment: Appointment,
    site: Site,
    product: Product,
    staff: Staff,
    now: datetime,
) -> Dose:
    """Write a dose down; a lot that is not in our books stays as the text that was read."""
    lot = db.scalar(select(Lot).filter_by(product_id=product.id, number=told.lot))
    recorded_on = _day(now, site)
    dose = Dose(
        recorded_at=now,
        person_id=appointment.person_id,
        programme_id=appointment.programme_id,
        product_id=product.id,
        site_id=site.id,
        appointment_id=appointment.id,
        given_at=told.given_at,
        given_on=min(_day(told.given_at, site), recorded_on),
        recorded_on=recorded_on,
        lot_text=told.lot,
        lot_id=lot.id if lot else None,
        lot_product_id=lot.product_id if lot else None,
        body_site=told.body_site,
        recorded_by=staff.id,
    )
    db.add(dose)
    db.flush()
    return dose


def lots_on(db: Session, *, product_id: UUID, day: date) -> list[str]:
    """Return the numbers of lots whose validity in force on a day covers that day."""
    query = (
        select(Lot, LotValidity)
        .join(LotValidity, LotValidity.lot_id == Lot.id)
        .where(Lot.product_id == product_id, LotValidity.since <= day)
        .order_by(Lot.number, LotValidity.ordinal)
    )
    in_force = {lot.number: validity for lot, validity in db.execute(query)}
    return [
        number
        for number, validity in in_force.items()
        if validity.state == "released" and validity.released_on <= day <= validity.expires_on
    ]


def _day(moment: datetime, site: Site) -> date:
    return moment.astimezone(ZoneInfo(site.time_zone)).date()
