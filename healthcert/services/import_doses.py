"""Doses given elsewhere in a table; FHIR becomes the same lines (`fhir`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, BadInput, WrongState
from healthcert.models import Dose, DoseStanding, Knowledge, Product, ProductTarget, Programme
from healthcert.models.dose import PRECISIONS
from healthcert.models.person import IDENTITY_KINDS
from healthcert.services import cells, elsewhere, enrolment, fhir, fhir_reading, vaccination
from healthcert.services.cells import Kind, Setting
from healthcert.services.elsewhere import Elsewhere, Evidence
from healthcert.services.people import Details, IdentityDetails, tidy_identity
from healthcert.services.sheets import Line

_HERE = "given_here"  # as we give our own doses out; such a line can only be known
_REQUIRED = (
    "identity_kind", "identity_value", "birth_date", "product", "given_on", "country", "evidence",
)  # fmt: skip


class _DoseLine(NamedTuple):
    person_id: UUID
    programme_id: UUID
    product_id: UUID
    told: Elsewhere


def vaccines(db: Session) -> fhir_reading.Vaccines:
    """Return by system and code which of our products are meant."""
    found: dict[tuple[str, str], set[str]] = {}
    query = select(Knowledge.content).join(Product, Product.knowledge_id == Knowledge.id)
    for content in db.scalars(query):
        for coding in fhir.codings(content):
            found.setdefault(coding, set()).add(content["code"])
    return found


def _passes(line: Line) -> str:
    status = line.cells.get("status", "")
    if status not in ("", *fhir.STATUSES):
        raise BadInput({"status": "not_a_choice"})
    return status if status in fhir.STATUSES[1:] else ""


def _read_dose(db: Session, setting: Setting, line: Line) -> _DoseLine:
    told, wrong = line.cells, dict[str, str]()
    evidence = Evidence(told["evidence"].lower(), told["country"].upper(), told.get("note", ""))
    dose = Elsewhere(
        told["given_on"], evidence, told.get("lot", ""), told.get("body_site", ""),
        told.get("route", ""),
    )  # fmt: skip
    with _gathering(wrong):
        judged = replace(dose, evidence=_as_elsewhere(evidence))
        judged = elsewhere.read(judged, country=setting.country, now=setting.now)
        dose = replace(judged, evidence=evidence)
    with _gathering(wrong):
        person_id = _person(db, setting, told)
    with _gathering(wrong):
        same = func.upper(Product.code) == told["product"].upper()
        product_id = cells.id_of(db, select(Product.id).where(same), "product")
        programme_id = _programme(db, told.get("programme", ""), product_id)
    if wrong:
        raise BadInput(wrong)
    return _DoseLine(person_id, programme_id, product_id, dose)


def _person(db: Session, setting: Setting, told: Mapping[str, str]) -> UUID:
    if told["identity_kind"] not in IDENTITY_KINDS:
        raise BadInput({"identity_kind": "not_a_choice"})
    country = told.get("identity_country") or setting.country.code
    identity = IdentityDetails(told["identity_kind"], country, told["identity_value"])
    whom = Details("", "", told["birth_date"], "", tidy_identity(identity))
    try:
        person = enrolment.known(db, vault=setting.vault, details=whom)
    except AlreadyBooked:
        raise BadInput({"birth_date": "contradicts_record"}) from None
    if person is None:
        raise BadInput({"identity_value": "not_known"})
    return person.id


def _programme(db: Session, code: str, product_id: UUID) -> UUID:
    against = select(ProductTarget.disease).where(ProductTarget.product_id == product_id)
    which = Programme.code == code if code else Programme.disease.in_(against)
    found = db.scalars(select(Programme.id).where(which)).all()
    if len(found) != 1:
        raise BadInput({"programme": "several" if found else "not_known"})
    return found[0]


def _known_dose(db: Session, _setting: Setting, line: _DoseLine) -> UUID | None:
    told = line.told
    in_error = exists().where(
        DoseStanding.dose_id == Dose.id, DoseStanding.counts == "entered_in_error"
    )
    same = select(Dose).where(
        Dose.person_id == line.person_id, Dose.product_id == line.product_id, ~in_error,
        Dose.given_on == elsewhere.first_day(told.given_on),
        Dose.day_precision == PRECISIONS[told.given_on.count("-")],
    )  # fmt: skip
    doses = db.scalars(same).all()
    for dose in doses:
        if dose.lot_text == told.lot or not (dose.lot_text and told.lot):
            return dose.id
    if doses:
        raise BadInput({"lot": "contradicts_record"})
    if told.evidence.kind == _HERE:
        raise BadInput({"evidence": "not_known"})
    return None


def _write_dose(db: Session, setting: Setting, line: _DoseLine) -> UUID:
    """Record a dose under a key of what it is, beside those of it that were taken back."""
    what = "|".join((str(line.person_id), str(line.product_id), line.told.given_on))
    key = f"row:{hashlib.sha256(what.encode()).hexdigest()[:32]}:"
    before = db.scalar(select(func.count()).where(Dose.import_key.startswith(key)))
    return vaccination.record_elsewhere(
        db, vault=setting.vault, person_id=line.person_id, programme_id=line.programme_id,
        product_id=line.product_id, told=replace(line.told, import_key=f"{key}{before}"),
        staff=setting.by, country=setting.country, now=setting.now,
    ).id  # fmt: skip


def _mark_in_error(db: Session, setting: Setting, dose_id: UUID) -> bool:
    try:
        vaccination.mark_in_error(
            db, vault=setting.vault, dose_id=dose_id, reason="other", staff=setting.by,
            country=setting.country, now=setting.now,
        )  # fmt: skip
    except WrongState:
        return False  # somebody corrected it
    return True


def _as_elsewhere(evidence: Evidence) -> Evidence:
    return replace(evidence, kind="seen") if evidence.kind == _HERE else evidence


@contextmanager
def _gathering(wrong: dict[str, str]) -> Iterator[None]:
    try:
        yield
    except BadInput as refusal:
        wrong.update(refusal.fields)


DOSES = Kind(
    "doses", fhir.COLUMNS, _REQUIRED,
    _read_dose, lambda line: (line.person_id, line.product_id, line.told.given_on),
    _known_dose, _write_dose, _mark_in_error, by_staff=True, passes=_passes,
)  # fmt: skip
