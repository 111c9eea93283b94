"""What stands on a person's record, as themselves and as a nurse see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from healthcert.models import Appointment, ClinicSession, Product, Programme, Site, Slot
from healthcert.models.appointment import ACTIVE
from healthcert.models.dose import Dose, DoseStanding

_KNOWN = {"year": len("YYYY"), "month": len("YYYY-MM"), "day": len("YYYY-MM-DD")}


@dataclass(frozen=True, slots=True)
class HeldAppointment:
    """An appointment; times aware, names by language."""

    appointment_id: UUID
    reference: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    site_id: UUID
    place: Mapping[str, str]
    address: Mapping[str, str]
    programme_id: UUID
    programme: Mapping[str, str]
    product: str
    dose_number: int
    state: str
    why_not: str | None  # why nothing was given, where it ended so


@dataclass(frozen=True, slots=True)
class HeldDose:
    """A dose and what it is worth toward one disease; `day` as it is known, ``YYYY[-MM[-DD]]``."""

    dose_id: UUID
    given_on: date
    day: str
    product: str
    lot: str
    site_id: UUID | None  # where it was given, if at a site of ours
    place: Mapping[str, str]
    disease: str
    counts: str
    number: int | None


def appointments_of(db: Session, *person_ids: UUID) -> dict[UUID, list[HeldAppointment]]:
    """Return people's appointments by their ids: the soonest to come first, then the latest."""
    comes = Appointment.state.in_(ACTIVE)
    query = (
        select(Appointment, Site, Product, Programme)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(ClinicSession, ClinicSession.id == Slot.session_id)
        .join(Site, Site.id == ClinicSession.site_id)
        .join(Product, Product.id == ClinicSession.product_id)
        .join(Programme, Programme.id == Appointment.programme_id)
        .where(Appointment.person_id.in_(person_ids))
        .order_by(comes.desc(), case((comes, Appointment.starts_at)), Appointment.starts_at.desc())
    )
    found: dict[UUID, list[HeldAppointment]] = {each: [] for each in person_ids}
    for appointment, site, product, programme in db.execute(query):
        found[appointment.person_id].append(HeldAppointment(
            appointment.id, appointment.reference, appointment.starts_at, appointment.ends_at,
            site.time_zone, site.id, site.names, site.address, programme.id, programme.names,
            product.name, appointment.dose_number, appointment.state, appointment.why_not,
        ))  # fmt: skip
    return found


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
            dose.id, dose.given_on, day_of(dose), product.name, dose.lot_text,
            dose.site_id, site.names if site else {"en": dose.country or ""}, standing.disease,
            standing.counts, standing.number,
        )
        for dose, standing, product, site in db.execute(query)
    ]  # fmt: skip


def day_of(dose: Dose) -> str:
    """Return the day of a dose as far as it is known, ``YYYY[-MM[-DD]]``."""
    return dose.given_on.isoformat()[: _KNOWN[dose.day_precision]]
