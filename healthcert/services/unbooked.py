"""A dose that was given to somebody who had no appointment: a fact like any other."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import Dose, Staff
from healthcert.services import giving, observing, safety, vaccination
from healthcert.services.facts import Told


def write_down(
    db: Session, *, vault: Vault, person_id: UUID, programme_id: UUID, product_id: UUID,
    told: Told, staff: Staff, country: Country, now: datetime,
) -> Dose:  # fmt: skip
    """Write down a dose given to somebody without an appointment here, and begin the watch.

    Raises:
        BadInput, NotFound: See `vaccination.record_unbooked`.
    """
    dose = vaccination.record_unbooked(
        db, vault=vault, person_id=person_id, programme_id=programme_id, product_id=product_id,
        told=told, staff=staff, country=country, now=now,
    )  # fmt: skip
    agreed = safety.current_consent(db, person_id=person_id, programme_id=programme_id)
    giving.note_unchecked(db, dose, agreed, "", staff, now)
    observing.begin(db, dose=dose, minutes=giving.minutes_after(db, dose, {}), now=now)
    return dose
