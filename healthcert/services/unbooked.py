"""A dose of somebody who has no appointment: given now, or written down afterwards as a fact."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import Dose, Staff
from healthcert.services import clinic, giving, prompting
from healthcert.services.facts import Told


def write_down(
    db: Session, *, vault: Vault, person_id: UUID, programme_id: UUID, product_id: UUID,
    told: Told, afterwards: bool = False, staff: Staff, country: Country, now: datetime,
) -> Dose:  # fmt: skip
    """Write down a dose of somebody without an appointment here, as `giving.give` does.

    Raises:
        BadInput, NotFound: See `vaccination.record_unbooked`.
        NotAgreed: They refuse, or no longer agree, and it is not told ``afterwards``.
    """
    patient = clinic.unexpected(
        db, vault=vault, person_id=person_id, programme_id=programme_id, product_id=product_id,
        staff=staff,
    )  # fmt: skip
    day = now.astimezone(ZoneInfo(patient.expected.time_zone)).date()
    known = prompting.before(
        db, vault=vault, patient=patient, staff=staff, country=country, day=day, now=now
    )
    return giving.give(
        db, vault=vault, patient=patient, known=known, product_id=product_id, told=told,
        afterwards=afterwards, staff=staff, country=country, now=now,
    )  # fmt: skip
