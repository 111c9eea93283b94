"""What a certificate states: whose it is, and which dose, test or recovery, from the record."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from healthcert.data import vaccines, value_sets
from healthcert.data.knowledge import Country
from healthcert.errors import BadInput
from healthcert.hcert.names import Holder
from healthcert.hcert.writing import Statement, of_recovery, of_test, of_vaccination
from healthcert.models import Certificate, Dose, Knowledge, Product, Programme, Recovery, TestResult
from healthcert.services.people import Details, holder_of

Fact = Dose | TestResult | Recovery
_DISEASES: Final = "disease-agent-targeted"


def diseases() -> frozenset[str]:
    """Return the diseases that certificates speak of."""
    return frozenset(value_sets()[_DISEASES])


def products() -> frozenset[str]:
    """Return the codes of the vaccines that certificates speak of."""
    return frozenset(code for code, known in vaccines().items() if not known.withdrawn)


class Basis(NamedTuple):
    """What a certificate rests on: its fact and, of a dose, the product and the technical life."""

    fact: Fact
    product: Product | None = None
    life: timedelta = timedelta()


def bases(db: Session, certificates: Collection[Certificate]) -> dict[UUID | None, Basis]:
    """Return what each of some certificates rests on, by the identifier of its fact."""
    found: dict[UUID | None, Basis] = {}
    tests = select(TestResult).where(
        TestResult.id.in_({one.test_result_id for one in certificates})
    )
    recoveries = select(Recovery).where(Recovery.id.in_({one.recovery_id for one in certificates}))
    found.update((one.id, Basis(one)) for one in db.scalars(tests))
    found.update((one.id, Basis(one)) for one in db.scalars(recoveries))
    doses = (
        select(Dose, Product, Programme.knowledge_id)
        .join(Product, Product.id == Dose.product_id)
        .join(Programme, Programme.id == Dose.programme_id)
        .where(Dose.id.in_({one.dose_id for one in certificates}))
        .options(load_only(Dose.country, Dose.given_on, Dose.recorded_by))
    )
    given = db.execute(doses).all()
    known = select(Knowledge).where(Knowledge.id.in_({row.knowledge_id for row in given}))
    days = {row.id: row.content["certificate"]["valid_days"] for row in db.scalars(known)}
    found.update((one.id, Basis(one, of, timedelta(days[by]))) for one, of, by in given)
    return found


def statement(
    details: Details, certificate: Certificate, basis: Basis, country: Country
) -> dict[str, object]:
    """Return the payload of a certificate, one entry; a `ValueError` is a mistake of ours."""
    fact, holder = basis.fact, holder_of(details)
    where = fact.country or country.code
    said = Statement(certificate.disease, where, country.issuer, certificate.uvci)
    try:
        if isinstance(fact, Dose):
            return _vaccination(holder, said, certificate, fact, basis.product)
        if isinstance(fact, TestResult):
            return of_test(
                holder, said, test_type=fact.test_type, result=fact.result,
                sampled_at=fact.sampled_at, centre=fact.centre, name=fact.name, device=fact.device,
            )  # fmt: skip
        return of_recovery(
            holder, said, first_positive=fact.first_positive_on,
            valid_from=fact.valid_from, valid_until=fact.valid_until,
        )  # fmt: skip
    except BadInput as wrong:
        raise ValueError(f"what is on record cannot be certified: {wrong}") from None


def ends(basis: Basis, issued_at: datetime, country: Country) -> datetime:
    """Return until when a certificate may hold: technical life, or the last day of a recovery."""
    if isinstance(basis.fact, Recovery):
        return datetime.combine(basis.fact.valid_until + timedelta(days=1), time(), UTC)
    if isinstance(basis.fact, TestResult):
        return issued_at + timedelta(days=country.test_days)
    return issued_at + basis.life


def _vaccination(
    holder: Holder, said: Statement, certificate: Certificate, dose: Dose, product: Product | None
) -> dict[str, object]:
    if certificate.dn is None or certificate.sd is None or product is None:
        raise ValueError("a certificate of a dose has its product and number")
    return of_vaccination(
        holder, said,
        product=product.code, authorisation=product.ma, prophylaxis=product.vp,
        dose=certificate.dn, series=certificate.sd, given_on=dose.given_on, vaccines=vaccines(),
    )  # fmt: skip
