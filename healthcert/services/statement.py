"""What a certificate states: whose it is, and which dose, test or recovery, from the record."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data import vaccines, value_sets
from healthcert.data.knowledge import Country
from healthcert.errors import BadInput
from healthcert.hcert.names import Holder
from healthcert.hcert.writing import Statement, of_recovery, of_test, of_vaccination
from healthcert.models import (
    Base,
    Certificate,
    Dose,
    Knowledge,
    Product,
    Programme,
    Recovery,
    TestResult,
)
from healthcert.services.people import Details, holder_of

Fact = Dose | TestResult | Recovery
_DISEASES: Final = "disease-agent-targeted"


def not_certifiable(product: str, disease: str) -> str:
    """Return why no EU certificate can state a dose: a code, or empty where one can.

    The EU's value sets decide: a disease or a vaccine they do not know has no certificate.
    """
    if disease not in value_sets()[_DISEASES]:
        return "disease_not_in_value_set"
    known = vaccines().get(product)
    return "vaccine_not_in_value_set" if known is None or known.withdrawn else ""


def diseases() -> frozenset[str]:
    """Return the diseases that certificates speak of."""
    return frozenset(value_sets()[_DISEASES])


def products() -> frozenset[str]:
    """Return the codes of the vaccines that certificates speak of."""
    return frozenset(code for code, known in vaccines().items() if not known.withdrawn)


def fact_of(db: Session, certificate: Certificate) -> Fact:
    """Return what a certificate states: it has one fact, the database holds it to that."""
    if certificate.dose_id is not None:
        return db.get_one(Dose, certificate.dose_id)
    if certificate.test_result_id is not None:
        return db.get_one(TestResult, certificate.test_result_id)
    return db.get_one(Recovery, certificate.recovery_id)


def fetched(db: Session, certificates: Collection[Certificate]) -> list[Base]:
    """Return at once the rows that some certificates rest on.

    Whoever keeps them has `fact_of`, `statement` and `ends` ask the database for nothing.
    """
    rows: list[Base] = []
    for model, named in (
        (Dose, (each.dose_id for each in certificates)),
        (TestResult, (each.test_result_id for each in certificates)),
        (Recovery, (each.recovery_id for each in certificates)),
        (Product, (row.product_id for row in rows if isinstance(row, Dose))),
        (Programme, (row.programme_id for row in rows if isinstance(row, Dose))),
        (Knowledge, (row.knowledge_id for row in rows if isinstance(row, Programme))),
    ):
        if ids := set(named) - {None}:
            rows += db.scalars(select(model).where(model.id.in_(ids)))
    return rows


def statement(
    db: Session, details: Details, certificate: Certificate, country: Country
) -> dict[str, object]:
    """Return the payload of a certificate with its one entry.

    Raises:
        ValueError: What is on record cannot be certified; this is our mistake.
    """
    fact, holder = fact_of(db, certificate), holder_of(details)
    where = fact.country or country.code
    said = Statement(certificate.disease, where, country.issuer, certificate.uvci)
    try:
        if isinstance(fact, Dose):
            product = db.get_one(Product, fact.product_id)
            return _vaccination(holder, said, certificate, fact, product)
        if isinstance(fact, TestResult):
            return _test(holder, said, fact)
        return _recovery(holder, said, fact)
    except BadInput as wrong:
        raise ValueError(f"what is on record cannot be certified: {wrong}") from None


def ends(db: Session, fact: Fact, issued_at: datetime, country: Country) -> datetime:
    """Return until when a certificate may hold: technical life, or the last day of a recovery."""
    if isinstance(fact, Recovery):
        return datetime.combine(fact.valid_until + timedelta(days=1), time(), UTC)
    if isinstance(fact, TestResult):
        return issued_at + timedelta(days=country.test_days)
    programme = db.get_one(Programme, fact.programme_id)
    content = db.get_one(Knowledge, programme.knowledge_id).content
    return issued_at + timedelta(days=content["certificate"]["valid_days"])


def _vaccination(
    holder: Holder, said: Statement, certificate: Certificate, dose: Dose, product: Product
) -> dict[str, object]:
    if certificate.dn is None or certificate.sd is None:
        raise ValueError("a certificate of a dose has its number")
    return of_vaccination(
        holder, said,
        product=product.code, authorisation=product.ma, prophylaxis=product.vp,
        dose=certificate.dn, series=certificate.sd, given_on=dose.given_on, vaccines=vaccines(),
    )  # fmt: skip


def _test(holder: Holder, said: Statement, test: TestResult) -> dict[str, object]:
    return of_test(
        holder, said,
        test_type=test.test_type, result=test.result, sampled_at=test.sampled_at,
        centre=test.centre, name=test.name, device=test.device,
    )  # fmt: skip


def _recovery(holder: Holder, said: Statement, recovery: Recovery) -> dict[str, object]:
    return of_recovery(
        holder, said,
        first_positive=recovery.first_positive_on,
        valid_from=recovery.valid_from, valid_until=recovery.valid_until,
    )  # fmt: skip
