"""Rows with a default for everything that a test does not care about.

Each maker flushes what it makes and returns it. A parent that is not given is made too, so
that a test names only what matters to it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.models import (
    AdverseEvent,
    AdverseEventEntry,
    Appointment,
    AuditEvent,
    AuditLeaf,
    Base,
    Certificate,
    ClinicSession,
    Consent,
    Dose,
    DoseJudgement,
    DoseStanding,
    EligibilityDecision,
    Holiday,
    Knowledge,
    Lot,
    LotValidity,
    Observation,
    Organisation,
    Person,
    Phase,
    Product,
    ProductTarget,
    Programme,
    Recovery,
    Screening,
    SessionTemplate,
    Site,
    Slot,
    Staff,
    Stock,
    StockCount,
    StockMove,
    TestResult,
    TreeHead,
    Triage,
    new_id,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
COVID = "840539006"  # SNOMED CT: disease caused by SARS-CoV-2
NEGATIVE, POSITIVE = "260415000", "260373001"  # SNOMED CT: not detected, detected
INTERVAL = 21  # days between the two doses of the product

R = TypeVar("R", bound=Base)
_numbers = count(1)


def day(offset: int) -> date:
    """Return a day as many days after TODAY."""
    return TODAY + timedelta(days=offset)


def add(db: Session, row: R) -> R:
    """Insert a row and return it."""
    db.add(row)
    db.flush()
    return row


def make_person(db: Session, **values: Any) -> Person:
    defaults = {
        "wrapped_key": secrets.token_bytes(60), "sealed": b"sealed", "birth_year": 1980,
        "sex": "female", "language": "en", "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Person(**defaults | values))


def make_knowledge(db: Session, **values: Any) -> Knowledge:
    number = next(_numbers)
    defaults = {
        "kind": "vaccine", "name": f"knowledge {number}", "content": {"number": number},
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(), "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Knowledge(**defaults | values))


def _file(db: Session) -> Knowledge:
    return make_knowledge(db, kind="programme", content={"products": []})


def make_programme(db: Session, **values: Any) -> Programme:
    defaults = {
        "code": f"covid-{next(_numbers)}", "disease": COVID, "names": {"en": "COVID-19"},
        "knowledge_id": values.get("knowledge_id") or _file(db).id,
        "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Programme(**defaults | values))


def make_phase(db: Session, *, programme: Programme | None = None, **values: Any) -> Phase:
    """Return a phase of a programme's newest version that admits everybody."""
    programme = programme or make_programme(db)
    defaults = {
        "programme_id": programme.id, "knowledge_id": programme.knowledge_id,
        "code": f"phase-{next(_numbers)}", "names": {"en": "Everybody"}, "admits": {},
        "opens_on": day(-30), "closes_on": day(30), "published_at": NOW, "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Phase(**defaults | values))


def make_decision(db: Session, *, phase: Phase | None = None, **values: Any) -> EligibilityDecision:
    """Return the decision that somebody is admitted by a phase today."""
    phase = phase or make_phase(db)
    defaults = {
        "person_id": values.get("person_id") or make_person(db).id, "phase_id": phase.id,
        "programme_id": phase.programme_id, "knowledge_id": phase.knowledge_id, "day": TODAY,
        "outcome": "eligible", "reasons": [{"code": "admitted", "about": {}}], "decided_at": NOW,
        "sealed": b"sealed", "recorded_at": NOW,
    }  # fmt: skip
    return add(db, EligibilityDecision(**defaults | values))


def make_product(db: Session, *, diseases: tuple[str, ...] = (COVID,), **values: Any) -> Product:
    """Return a product of two doses, 21 days apart, against COVID-19."""
    defaults = {
        "code": f"EU/1/99/{next(_numbers)}", "name": "Comirnaty", "vp": "1119349007",
        "ma": "ORG-100030215", "series_doses": 2, "min_interval_days": INTERVAL,
        "target_interval_days": 28, "min_age_years": 12,
        "knowledge_id": values.get("knowledge_id") or make_knowledge(db).id, "recorded_at": NOW,
    }  # fmt: skip
    product = add(db, Product(**defaults | values))
    for disease in diseases:
        add(db, ProductTarget(product_id=product.id, disease=disease))
    return product


def make_lot(db: Session, *, product: Product | None = None, **values: Any) -> Lot:
    """Return a lot without any validity, in quarantine."""
    product = product or make_product(db)
    defaults = {
        "product_id": product.id, "number": f"AB{next(_numbers):04}", "recorded_at": NOW,
        "received_by": values.get("received_by") or make_admin(db).id,
    }  # fmt: skip
    return add(db, Lot(**defaults | values))


def make_admin(db: Session) -> Staff:
    return add(db, Staff(name="Ada Admin", role="admin", recorded_at=NOW))


def make_validity(db: Session, *, lot: Lot, **values: Any) -> LotValidity:
    """Return a validity in force for the year around TODAY, the newest of its lot."""
    count_all = select(func.count()).where(LotValidity.lot_id == lot.id)
    defaults = {
        "ordinal": db.scalars(count_all).one() + 1,
        "ordered_by": values.get("ordered_by") or make_admin(db).id,
        "lot_id": lot.id, "product_id": lot.product_id, "since": day(-180), "state": "released",
        "released_on": day(-180), "expires_on": day(180), "recorded_at": NOW,
    }  # fmt: skip
    return add(db, LotValidity(**defaults | values))


def make_shelf(db: Session, *, site: Site | None = None, lot: Lot | None = None) -> Stock:
    """Return the balance of a released lot at a site, of which nothing came yet."""
    site_id, lot_id = (site or make_site(db)).id, (lot or make_good_lot(db)).id
    return add(db, Stock(site_id=site_id, lot_id=lot_id))


def make_move(
    db: Session, shelf: Stock, kind: str = "received", quantity: int = 1, **values: Any
) -> StockMove:
    """Return the next move of a shelf, which is brought up to it."""
    defaults = {
        "recorded_at": NOW, "site_id": shelf.site_id, "lot_id": shelf.lot_id,
        "ordinal": shelf.moves + 1, "kind": kind, "quantity": quantity,
        "moved_by": values.get("moved_by") or make_admin(db).id,
        "confirmed_by": make_admin(db).id if kind == "counted" else None,
    }  # fmt: skip
    move = add(db, StockMove(**defaults | values))
    db.refresh(shelf)
    return move


def make_site(db: Session, **values: Any) -> Site:
    number = next(_numbers)
    defaults = {
        "code": f"S{number}", "names": {"en": f"Clinic {number}"}, "address": {"en": "1 Main St"},
        "region": "North", "latitude": 48.0, "longitude": 2.0, "time_zone": "Europe/Paris",
        "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Site(**defaults | values))


def make_organisation(
    db: Session, parent: Organisation | None = None, **values: Any
) -> Organisation:
    defaults = {
        "code": f"org-{next(_numbers)}", "names": {"en": "An agency"}, "kind": "agency",
        "parent_id": parent and parent.id, "parent_level": parent and parent.level,
        "level": parent.level + 1 if parent else 0, "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Organisation(**defaults | values))


def make_holiday(db: Session, organisation: Organisation | None = None, **values: Any) -> Holiday:
    """Return a holiday in three days, for all sites of an organisation."""
    body = organisation or make_organisation(db)
    defaults = {
        "organisation_id": body.id, "day": day(3), "names": {"en": "A day of mourning"},
        "recorded_at": NOW,
    }  # fmt: skip
    if "declared_by" not in values:
        by = make_staff(db, role="admin", site_id=None, organisation_id=body.id)
        defaults["declared_by"] = by.id
    return add(db, Holiday(**defaults | values))


def make_staff(db: Session, **values: Any) -> Staff:
    site_id = values["site_id"] if "site_id" in values else make_site(db).id
    defaults = {"name": "Nina Nurse", "role": "nurse", "site_id": site_id, "recorded_at": NOW}
    return add(db, Staff(**defaults | values))


def make_session(
    db: Session, *, site: Site | None = None, programme: Programme | None = None,
    product: Product | None = None, **values: Any,
) -> ClinicSession:  # fmt: skip
    defaults = {
        "site_id": (site or make_site(db)).id, "programme_id": (programme or make_programme(db)).id,
        "product_id": (product or make_product(db)).id, "day": TODAY, "state": "published",
        "recorded_at": NOW,
    }  # fmt: skip
    return add(db, ClinicSession(**defaults | values))


def make_template(db: Session, **values: Any) -> SessionTemplate:
    """Return a plan of every day, for ten days from today."""
    defaults = {
        "site_id": values.get("site_id") or make_site(db).id, "product_id": make_product(db).id,
        "programme_id": make_programme(db).id, "weekdays": 127, "first_day": TODAY,
        "last_day": day(9), "minutes": 30, "capacity": 4, "recorded_at": NOW,
    }  # fmt: skip
    return add(db, SessionTemplate(**defaults | values))


def make_slot(
    db: Session, *, session: ClinicSession | None = None, minutes: int = 10, **values: Any
) -> Slot:
    """Return a slot of two free places, at ten o'clock UTC on the session's day."""
    session = session or make_session(db)
    starts_at = values.pop("starts_at", datetime.combine(session.day, time(10), UTC))
    defaults = {
        "session_id": session.id, "starts_at": starts_at, "capacity": 2, "recorded_at": NOW,
        "ends_at": starts_at + timedelta(minutes=minutes),
    }  # fmt: skip
    return add(db, Slot(**defaults | values))


def make_appointment(
    db: Session, *, slot: Slot | None = None, person: Person | None = None,
    programme: Programme | None = None, **values: Any,
) -> Appointment:  # fmt: skip
    """Return a booked appointment; the slot's counter is left to the test."""
    slot = slot or make_slot(db)
    defaults = {
        "reference": f"HC{next(_numbers):010}", "slot_id": slot.id, "starts_at": slot.starts_at,
        "ends_at": slot.ends_at, "person_id": (person or make_person(db)).id,
        "programme_id": (programme or make_programme(db)).id, "dose_number": 1, "state": "booked",
        "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Appointment(**defaults | values))


def make_dose(
    db: Session, *, person: Person | None = None, product: Product | None = None,
    lot: Lot | None = None, programme: Programme | None = None, **values: Any,
) -> Dose:  # fmt: skip
    """Return a dose given today in the left arm, unjudged; without a lot, of an unknown one."""
    product_id = lot.product_id if lot else (product or make_product(db)).id
    given_on = values.get("given_on", TODAY)
    defaults = {
        "person_id": (person or make_person(db)).id,
        "programme_id": (programme or make_programme(db)).id, "product_id": product_id,
        "given_at": datetime.combine(given_on, time(10), UTC), "given_on": given_on,
        "recorded_on": given_on, "lot_text": lot.number if lot else "unreadable",
        "lot_id": lot and lot.id, "lot_product_id": lot and lot.product_id, "body_site": "LA",
        "recorded_by": values.get("recorded_by") or make_staff(db).id, "recorded_at": NOW,
    }  # fmt: skip
    if values.get("source", "point_of_care") != "point_of_care":
        defaults |= {"evidence": "seen", "country": "FR"}
    return add(db, Dose(**defaults | values))


def make_judgement(
    db: Session, *, dose: Dose, validity: LotValidity | None = None,
    knowledge: Knowledge | None = None, **values: Any,
) -> DoseJudgement:  # fmt: skip
    """Return the first judgement of a dose: valid and the first of its series."""
    defaults: dict[str, Any] = {
        "dose_id": dose.id, "disease": COVID, "ordinal": 1, "person_id": dose.person_id,
        "product_id": dose.product_id, "given_on": dose.given_on, "source": dose.source,
        "counts": "valid", "number": 1, "min_interval_days": INTERVAL,
        "knowledge_id": (knowledge or make_knowledge(db)).id, "recorded_at": NOW,
    }  # fmt: skip
    if validity:
        defaults |= {
            "lot_validity_id": validity.id, "lot_id": validity.lot_id,
            "lot_product_id": validity.product_id, "lot_state": validity.state,
            "lot_released_on": validity.released_on, "lot_expires_on": validity.expires_on,
        }  # fmt: skip
    return add(db, DoseJudgement(**defaults | values))


def make_counted_dose(
    db: Session, *, number: int = 1, lot: Lot | None = None, knowledge: Knowledge | None = None,
    **values: Any,
) -> Dose:  # fmt: skip
    """Return a dose judged valid as a number of the series, from a lot that is good that day."""
    dose = make_dose(db, lot=lot or make_good_lot(db), **values)
    validity = in_force(db, dose)
    make_judgement(db, dose=dose, validity=validity, number=number, knowledge=knowledge)
    return dose


def make_good_lot(db: Session, *, product: Product | None = None, **values: Any) -> Lot:
    """Return a lot that is released and in date for the year around TODAY."""
    lot = make_lot(db, product=product)
    make_validity(db, lot=lot, **values)
    return lot


def in_force(db: Session, dose: Dose) -> LotValidity | None:
    """Return the validity of a dose's lot on the day it was given."""
    return db.scalar(
        select(LotValidity)
        .where(LotValidity.lot_id == dose.lot_id, LotValidity.since <= dose.given_on)
        .order_by(LotValidity.ordinal.desc())
        .limit(1)
    )


def make_certificate(db: Session, *, dose: Dose, **values: Any) -> Certificate:
    """Return the intent to certify a dose that stands as valid."""
    standing = db.get_one(DoseStanding, (dose.id, COVID), populate_existing=True)
    uvci = f"URN:UVCI:01:XX:{new_id().hex.upper()}"
    defaults = {
        "person_id": dose.person_id, "dose_id": dose.id, "disease": COVID, "uvci": uvci,
        "standing_counts": "valid", "state": "intended", "dn": standing.number, "sd": 2,
        "knowledge_id": make_knowledge(db, kind="country").id, "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Certificate(**defaults | values))


def make_test(db: Session, *, person: Person | None = None, **values: Any) -> TestResult:
    """Return a negative nucleic acid test of our own, which stands by its trigger."""
    defaults = {
        "person_id": (person or make_person(db)).id, "disease": COVID, "test_type": "LP6464-4",
        "result": NEGATIVE, "sampled_at": NOW, "recorded_at": NOW, "recorded_on": TODAY,
        "recorded_by": values.get("recorded_by") or make_staff(db).id,
    }  # fmt: skip
    return add(db, TestResult(**defaults | values))


def make_recovery(db: Session, *, person: Person | None = None, **values: Any) -> Recovery:
    """Return a recovery of our own, first found 20 days ago, with the test that founds it."""
    defaults = {
        "person_id": (person := person or make_person(db)).id, "disease": COVID,
        "first_positive_on": day(-20), "valid_from": day(-9), "valid_until": day(160),
        "recorded_at": NOW, "recorded_on": TODAY,
        "recorded_by": values.get("recorded_by") or make_staff(db).id,
    }  # fmt: skip
    if not values.keys() & {"evidence", "test_result_id"}:
        by = {"result": POSITIVE, "recorded_by": defaults["recorded_by"]}
        values["test_result_id"] = make_test(db, person=person, **by).id
    return add(db, Recovery(**defaults | values))


def make_finding_certificate(
    db: Session, *, of: TestResult | Recovery, **values: Any
) -> Certificate:
    """Return the intent to certify a test or a recovery."""
    key = "test_result_id" if isinstance(of, TestResult) else "recovery_id"
    defaults = {
        "person_id": of.person_id, key: of.id, "disease": COVID, "standing_counts": "valid",
        "uvci": f"URN:UVCI:01:XX:{new_id().hex.upper()}", "state": "intended",
        "knowledge_id": make_knowledge(db, kind="country").id, "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Certificate(**defaults | values))


def issued(**values: Any) -> dict[str, Any]:
    """Return what a certificate carries once it is signed."""
    whole = {
        "state": "issued", "kid": b"12345678", "issued_at": NOW, "sealed": b"HC1:",
        "expires_at": NOW + timedelta(days=270),
        **dict.fromkeys(("signature_hash", "uvci_hash", "country_uvci_hash"), b"h" * 16),
    }  # fmt: skip
    return whole | values


def make_event(db: Session, *, subject_id: UUID | None = None, **values: Any) -> AuditEvent:
    defaults = {
        "actor_kind": "system", "act": "tested", "subject_kind": "person",
        "subject_id": subject_id, "details": {}, "recorded_at": NOW,
    }  # fmt: skip
    return add(db, AuditEvent(**defaults | values))


def make_consent(db: Session, *, person: Person | None = None, **values: Any) -> Consent:
    """Return the first decision of a person, who agrees."""
    defaults = {
        "person_id": (person or make_person(db)).id, "ordinal": 1, "decision": "given",
        "programme_id": values.get("programme_id") or make_programme(db).id,
        "decided_by": "self", "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Consent(**defaults | values))


def make_screening(db: Session, **values: Any) -> Screening:
    """Return answers after which nothing stands against a dose."""
    defaults = {
        "person_id": values.get("person_id") or make_person(db).id, "outcome": "go",
        "programme_id": make_programme(db).id, "questions_id": make_knowledge(db).id,
        "sealed": b"sealed", "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Screening(**defaults | values))


def make_triage(db: Session, **values: Any) -> Triage:
    defaults = {
        "screening_id": values.get("screening_id") or make_screening(db).id, "ordinal": 1,
        "outcome": "defer", "reason": "other", "decided_by": make_admin(db).id,
        "recorded_at": NOW,
    }  # fmt: skip
    return add(db, Triage(**defaults | values))


def make_adverse_event(db: Session, **values: Any) -> AdverseEvent:
    """Return a report of a fever that is not serious."""
    defaults = {
        "number": f"XX-{next(_numbers)}", "country": "XX", "term": "fever_38", "onset_on": TODAY,
        "person_id": values.get("person_id") or make_person(db).id, "reporter": "self",
        "sealed": b"sealed", "seriousness": "not_serious", "outcome": "recovering",
        "recorded_at": NOW,
    }  # fmt: skip
    return add(db, AdverseEvent(**defaults | values))


def make_entry(db: Session, **values: Any) -> AdverseEventEntry:
    """Return what was told of a reaction after its report."""
    event = make_adverse_event(db)
    defaults = {
        "event_id": event.id, "person_id": event.person_id, "told_by": make_staff(db).id,
        "sealed": b"sealed", "recorded_at": NOW,
    }  # fmt: skip
    return add(db, AdverseEventEntry(**defaults | values))


def make_observation(db: Session, *, dose: Dose | None = None, **values: Any) -> Observation:
    """Return the watch over somebody after a dose, for 15 minutes."""
    dose = dose or make_dose(db, site_id=make_site(db).id)
    defaults = {
        "dose_id": dose.id, "person_id": dose.person_id, "recorded_at": NOW,
        "site_id": dose.site_id or make_site(db).id, "until": NOW + timedelta(minutes=15),
    }  # fmt: skip
    return add(db, Observation(**defaults | values))


def make_count(db: Session, **values: Any) -> StockCount:
    """Return what one person counted on a shelf, and nobody else yet."""
    shelf = make_shelf(db)
    defaults = {
        "site_id": shelf.site_id, "lot_id": shelf.lot_id, "found": 3, "recorded_at": NOW,
        "counted_by": make_admin(db).id,
    }  # fmt: skip
    return add(db, StockCount(**defaults | values))


def make_head(db: Session, event: AuditEvent, **values: Any) -> TreeHead:
    """Seal one event as the next of the tree, by rows alone, and have it cosigned."""
    size = (db.scalar(select(func.count()).select_from(AuditLeaf)) or 0) + 1
    add(db, AuditLeaf(position=size - 1, event_id=event.id, hash=bytes(32)))
    defaults = {"size": size, "sealed_at": NOW, "root": bytes(32), "edge": b"", "note": "note"}
    return add(db, TreeHead(**defaults | values))
