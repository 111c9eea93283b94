"""Reactions for those who look into them: cases with their clocks, and the committee's export.

Nothing here names anybody: a case is known by its number, its person by year of birth and sex.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound
from healthcert.gateways.vault import Vault
from healthcert.models import AdverseEvent, Dose, DoseStanding, Person, Product, Site, Staff
from healthcert.services import looks
from healthcert.services.part import Part
from healthcert.services.people import key_of

# What is told in words and kept sealed, beside what the rows say: WHO, reporting form for AEFI.
TOLD = (
    "narrative", "onset_time", "history", "other_vaccines", "diluent_lot", "reporter_name",
    "reporter_position", "reporter_contact",
)  # fmt: skip


class Case(NamedTuple):
    """A case with the rows it follows from; None where the dose or the site is not ours."""

    event: AdverseEvent
    person: Person
    dose: Dose | None
    product: Product | None
    number: int | None  # which counted dose it was
    site: Site | None


def cases(db: Session, *, staff: Staff, limit: int = 500, part: Part | None = None) -> list[Case]:
    """Return the cases in one's reach: the most urgent first, then those not closed, the newest.

    Of a `part`, they come in the order in which they were reported.
    """
    due = AdverseEvent.due_at.asc().nulls_last()
    order = (AdverseEvent.state == "closed", due, AdverseEvent.id.desc())
    query = _query(staff).order_by(*order).limit(limit)
    return [Case(*row) for row in db.execute(part.of(query, AdverseEvent.id) if part else query)]


def case(
    db: Session, *, vault: Vault, event_id: UUID, staff: Staff, now: datetime
) -> tuple[Case, Mapping[str, Any]]:
    """Return a case and what was told of it in words; that it was looked at is written down.

    Raises:
        NotFound: No such case in one's reach.
    """
    row = db.execute(_query(staff).where(AdverseEvent.id == event_id)).one_or_none()
    if row is None:
        raise NotFound
    found = Case(*row)
    looks.seen(
        db, staff=staff, person_id=found.person.id, reason="safety", now=now,
        details={"adverse_event": event_id},
    )  # fmt: skip
    sealed = found.event.sealed
    return found, vault.open(key_of(found.person), event_id, sealed, purpose="adverse_event")


def line(case: Case, country: str) -> dict[str, str | int | date | None]:
    """Return a case by the WHO's core variables, without a word that was told of anybody."""
    event, person, dose, product, number, site = case
    return {
        "worldwide_number": event.number, "report_received": event.recorded_at.date(),
        "country": country, "location": site.region if site else None,
        "patient_birth_year": person.birth_year, "patient_sex": person.sex,
        "vaccine": product.name if product else None,
        "vaccine_code": product.code if product else None,
        "batch": dose.lot_text if dose else None, "dose_number": number,
        "vaccinated": dose.given_on if dose else None,
        "vaccinated_at": site.names.get("en") if site and dose else None,
        "onset": event.onset_on, "event": event.term, "serious": event.seriousness != "not_serious",
        "seriousness": event.seriousness, "outcome": event.outcome, "reporter": event.reporter,
        "state": event.state, "causality": event.causality,
    }  # fmt: skip


def _query(staff: Staff) -> Select[Any]:
    number = select(func.min(DoseStanding.number)).where(DoseStanding.dose_id == Dose.id)
    query = (
        select(AdverseEvent, Person, Dose, Product, number.scalar_subquery(), Site)
        .join(Person, Person.id == AdverseEvent.person_id)
        .outerjoin(Dose, Dose.id == AdverseEvent.dose_id)
        .outerjoin(Product, Product.id == Dose.product_id)
        .outerjoin(Site, Site.id == AdverseEvent.site_id)
    )
    return query if staff.site_id is None else query.where(AdverseEvent.site_id == staff.site_id)
