"""What stands on a person's record, as themselves and as a nurse see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.models import (
    Appointment,
    ClinicSession,
    Dose,
    DoseStanding,
    Product,
    Programme,
    Site,
    Slot,
)

_KNOWN = {"year": len("YYYY"), "month": len("YYYY-MM"), "day": len("YYYY-MM-DD")}


@dataclass(frozen=True, slots=True)
class HeldAppointment:
    """An appointment; times aware, names by language."""

    appointment_id: UUID
    reference: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    place: Mapping[str, str]
    address: Mapping[str, str]
    programme_id: UUID
    programme: Mapping[str, str]
    product: str
    dose_number: int
    state: str


@dataclass(frozen=True, slots=True)
class HeldDose:
    """A dose and what it is worth toward one disease; `day` as it is known, ``YYYY[-MM[-DD]]``."""

    dose_id: UUID
    given_on: date
    day: str
    product: str
    lot: str
    place: Mapping[str, str]
    disease: str
    counts: str
    number: int | None


def appointments_of(db: Session, person_id: UUID) -> list[HeldAppointment]:
    """Return a person's appointments, the latest first."""
    query = (
        select(Appointment, Site, Product, Programme)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Site, Site.id == ClinicSession.site_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .join(Programme, Programme.id == Appointment.programme_id)
        .where(Appointment.person_id == person_id)
        .order_by(Appointment.starts_at.desc())
    )
    return [
        HeldAppointment(
            appointment_id=appointment.id,
            reference=appointment.reference,
            starts_at=appointment.starts_at,
            ends_at=appointment.ends_at,
            time_zone=site.time_zone,
            place=site.names,
            address=site.address,
            programme_id=programme.id,
            programme=programme.names,
            product=product.name,
            dose_number=appointment.dose_number,
            state=appointment.state,
        )
        for appointment, site, product, programme in db.execute(query)
    ]


def doses_of(db: Session, person_id: UUID) -> list[HeldDose]:
    """Return a person's doses toward each disease, the latest first."""
    query = (
        select(Dose, DoseStanding, Product, Site)
        .join(DoseStanding, DoseStanding.dose_id == Dose.id)
        .join(Product, Product.id == Dose.product_id)
        .outerjoin(Site, Site.id == Dose.site_id)
        .where(Dose.person_id == person_id)
        .order_by(Dose.given_on.desc(), Dose.id.desc())
    )
    return [
        HeldDose(
            dose_id=dose.id,
            given_on=dose.given_on,
            day=dose.given_on.isoformat()[: _KNOWN[dose.day_precision]],
            product=product.name,
            lot=dose.lot_text,
            place=site.names if site else {"en": dose.country or ""},
            disease=standing.disease,
            counts=standing.counts,
            number=standing.number,
        )
        for dose, standing, product, site in db.execute(query)
    ]
