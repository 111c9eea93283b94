"""Reactions for those who look into them: cases with their clocks, and the committee's export.

Nothing here names anybody: a case is known by its number, its person by year of birth and sex.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from healthcert.data.knowledge import Country
from healthcert.errors import there
from healthcert.gateways.vault import Vault
from healthcert.models import AdverseEvent, Dose, DoseStanding, Person, Product, Site, Staff
from healthcert.models.adverse_event import AdverseEventEntry
from healthcert.services import knowledge, looks
from healthcert.services.part import Part
from healthcert.services.people import key_of

# What is told and kept sealed, beside what the rows say; the first two are coded.
TOLD = (
    "onset_time", "pregnant", "patient_place", "narrative", "history", "other_vaccines",
    "elsewhere", "diluent_lot", "reporter_name", "reporter_position", "reporter_contact",
)  # fmt: skip
PREGNANT = ("no", "pregnant", "breastfeeding")
# `docs/reactions.md` names the source of the list, and why these are critical.
CRITICAL = (
    "report_received", "patient_place", "patient", "patient_birth_year", "vaccine", "batch",
    "diluent_lot", "vaccinated", "onset", "event", "outcome", "serious", "reporter_name",
)  # fmt: skip
_CLOCK = re.compile("[0-2][0-9]:[0-5][0-9]")
_ON_FILE = "on_file"  # told in words, which stay in the case


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
    over = AdverseEvent.state.in_(("closed", "entered_in_error"))
    order = (over, due, AdverseEvent.id.desc())
    query = _query(staff).order_by(*order).limit(limit)
    return [Case(*row) for row in db.execute(part.of(query, AdverseEvent.id) if part else query)]


def exported(
    db: Session, *, vault: Vault, staff: Staff, country: Country, limit: int = 100_000,
    part: Part | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the cases in one's reach as lines for the committee, in the order of `cases`."""
    found = cases(db, staff=staff, limit=limit, part=part)
    words = told(db, vault=vault, cases=found)
    return [line(db, each, words[each.event.id], country.code) for each in found]


def of_person(db: Session, person_id: UUID) -> Sequence[AdverseEvent]:
    """Return the reactions on record of a person, the latest first; none that was taken back."""
    query = select(AdverseEvent).filter_by(person_id=person_id)
    stands = query.where(AdverseEvent.state != "entered_in_error")
    return db.scalars(stands.order_by(AdverseEvent.onset_on.desc(), AdverseEvent.id)).all()


def case(
    db: Session, *, vault: Vault, event_id: UUID, staff: Staff, now: datetime
) -> tuple[Case, Mapping[str, Any]]:
    """Return a case and what was told of it in words; that it was looked at is written down.

    Raises:
        NotFound: No such case in one's reach.
    """
    row = there(db.execute(_query(staff).where(AdverseEvent.id == event_id)).one_or_none())
    found = Case(*row)
    looks.seen(
        db, staff=staff, person_id=found.person.id, reason="safety", now=now,
        details={"adverse_event": event_id},
    )  # fmt: skip
    return found, told(db, vault=vault, cases=[found])[event_id]


def told(db: Session, *, vault: Vault, cases: Sequence[Case]) -> Mapping[UUID, Mapping[str, str]]:
    """Return what was told of cases, by case: the newest word on each of `TOLD`.

    Of somebody who was erased nothing can be opened any more.
    """
    people = {each.event.id: each.person for each in cases if each.person.erased_at is None}
    found: dict[UUID, dict[str, str]] = {each.event.id: {} for each in cases}
    if not found:
        return {}
    later = select(AdverseEventEntry).order_by(AdverseEventEntry.id)
    later = later.where(AdverseEventEntry.event_id.between(min(found), max(found)))
    for row in (*(each.event for each in cases), *db.scalars(later)):
        event_id = row.event_id if isinstance(row, AdverseEventEntry) else row.id
        if event_id in people:
            key = key_of(people[event_id])
            found[event_id] |= vault.open(key, row.id, row.sealed, purpose="adverse_event")
    return found


def line(db: Session, case: Case, told: Mapping[str, str], country: str) -> dict[str, Any]:
    """Return a case by the WHO's 25 core variables, without a word that was told of anybody.

    Then come our own: the codes beside them, and which critical variables are missing.
    """
    event, person, dose, product, number, site = case
    words = {name: _ON_FILE if told.get(name) else None for name in TOLD}
    contact, time, how = (told.get(n, "") for n in ("reporter_contact", "onset_time", "pregnant"))
    onset = f"{event.onset_on}T{time}" if _CLOCK.fullmatch(time) else None
    variables = {
        "report_received": event.recorded_at.date(), "country": country,
        "patient_place": words["patient_place"] or person.region,
        "worldwide_number": event.number, "patient": person.id.hex,
        "patient_birth_year": person.birth_year, "patient_sex": person.sex,
        "history": words["history"], "vaccine": product.name if product else words["elsewhere"],
        "other_vaccines": words["other_vaccines"],
        "batch": dose.lot_text if dose else words["elsewhere"], "dose_number": number,
        "diluent_lot": words["diluent_lot"],
        "vaccinated": (dose.given_at or dose.given_on) if dose else words["elsewhere"],
        "onset": onset or event.onset_on, "event": event.term,
        "outcome": event.outcome, "serious": event.seriousness != "not_serious",
        "reporter_name": words["reporter_name"],
        "reporter_place": site.names.get("en") if site else None,
        "reporter_position": words["reporter_position"],
        "reporter_mail": _ON_FILE if "@" in contact else None,
        "reporter_phone": _ON_FILE if contact and "@" not in contact else None,
        "reported": event.recorded_at.date(), "comments": words["narrative"],
    }  # fmt: skip
    return variables | {
        "vaccine_code": product.code if product else None,
        "pregnant": how if how in PREGNANT else None, "seriousness": event.seriousness,
        "reporter": event.reporter, "state": event.state, "causality": event.causality,
        "nullified": event.error_reason, "case": event.id,
        "missing": " ".join(_missing(db, variables | {"onset": onset}, product))
        if event.error_reason is None else "",
    }  # fmt: skip


def _missing(db: Session, known: Mapping[str, object], product: Product | None) -> list[str]:
    """Return the critical variables that are not known; a diluent only where there is one."""
    mixed = product and knowledge.rule_of(db, product.id).content.get("diluent")
    wanted = [name for name in CRITICAL if mixed or name != "diluent_lot"]
    return [name for name in wanted if known[name] is None]


def _query(staff: Staff) -> Select[Any]:
    """Return the query of cases in one's reach, each with its dose as corrected last."""
    of, later = AdverseEvent.dose_id, aliased(Dose)
    right = select(of.label("told"), of.label("dose_id")).where(of.is_not(None)).cte(recursive=True)
    right = right.union(select(right.c.told, later.id).where(later.replaces == right.c.dose_id))
    stands = (right.c.told == of) & ~exists().where(later.replaces == right.c.dose_id)
    number = select(func.min(DoseStanding.number)).where(DoseStanding.dose_id == Dose.id)
    query = (
        select(AdverseEvent, Person, Dose, Product, number.scalar_subquery(), Site)
        .join(Person, Person.id == AdverseEvent.person_id)
        .outerjoin(right, stands)
        .outerjoin(Dose, Dose.id == right.c.dose_id)
        .outerjoin(Product, Product.id == Dose.product_id)
        .outerjoin(Site, Site.id == AdverseEvent.site_id)
    )
    return query if staff.site_id is None else query.where(AdverseEvent.site_id == staff.site_id)
