"""Count again: what a counter or a standing says against the rows it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from healthcert.models import Appointment, Certificate, Person, TestResult, TestStanding
from healthcert.models.dose import Dose, DoseJudgement, DoseStanding
from healthcert.models.place import KEPT, Slot
from healthcert.models.recovery import Recovery, RecoveryStanding
from healthcert.models.stock import TAKES_BACK, TOTALS, Stock, StockMove
from healthcert.models.supply import Lot, LotValidity, Product, ProductTarget
from healthcert.services import facts, judging_again, statement

_REACHABLE = select(Person.id).where(Person.erased_at.is_(None))  # an erased one gets no more
_LIVE = Certificate.state.in_(("intended", "issued"))
_Standing = DoseStanding | TestStanding | RecoveryStanding
_OWN: Mapping[type[_Standing], ColumnElement[bool]] = {  # that a certificate is of a standing
    DoseStanding: (Certificate.dose_id == DoseStanding.dose_id)
    & (Certificate.disease == DoseStanding.disease),
    TestStanding: Certificate.test_result_id == TestStanding.test_result_id,
    RecoveryStanding: Certificate.recovery_id == RecoveryStanding.recovery_id,
}
_HOLDS_A_PLACE = ("held", "booked", "arrived", "vaccinated", "not_vaccinated", "no_show")


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum that does not come out: which, and in how many rows."""

    check: str
    rows: int


def _counters() -> Select[object]:
    """Slots of which a counter is not the number of appointments that hold a place."""
    pools = {f"booked_{pool}": func.count().filter(Appointment.pool == pool) for pool in KEPT}
    counts = {"booked": func.count(), **pools}
    held = (
        select(Appointment.slot_id, *(count.label(name) for name, count in counts.items()))
        .where(Appointment.state.in_(_HOLDS_A_PLACE))
        .group_by(Appointment.slot_id)
        .subquery()
    )
    wrong = (getattr(Slot, name) != func.coalesce(held.c[name], 0) for name in counts)
    return select(Slot.id).outerjoin(held, held.c.slot_id == Slot.id).where(or_(*wrong))


def _standings() -> Select[object]:
    """Standings that are not the newest judgement."""
    same = and_(
        DoseJudgement.dose_id == DoseStanding.dose_id, DoseJudgement.disease == DoseStanding.disease
    )
    newer = DoseJudgement.ordinal > DoseStanding.ordinal
    return select(DoseStanding.judgement_id).join(DoseJudgement, same & newer)


def _unjudged() -> Select[object]:
    """Doses of a product against a disease that stand nowhere toward it."""
    stands = and_(DoseStanding.dose_id == Dose.id, DoseStanding.disease == ProductTarget.disease)
    return (
        select(Dose.id)
        .join(ProductTarget, ProductTarget.product_id == Dose.product_id)
        .outerjoin(DoseStanding, stands)
        .where(DoseStanding.dose_id.is_(None))
    )


def _live_certificates() -> Select[object]:
    """Live certificates of a dose, a test or a recovery that does not count."""
    rests = (exists().where(own, standing.counts == "valid") for standing, own in _OWN.items())
    return select(Certificate.id).where(_LIVE, ~or_(*rests))


def _uncertified_doses() -> Select[object]:
    """Doses that count, of vaccines that there are certificates of, and have none nor intent."""
    query = _uncertified(DoseStanding, Dose, Dose.id == DoseStanding.dose_id)
    query = query.join(Product, Product.id == Dose.product_id)
    known = DoseStanding.disease.in_(statement.diseases())
    return query.where(known, Product.code.in_(statement.products()))


def _uncertified_findings() -> Select[object]:
    """Tests, and recoveries not over when told, that count and have no certificate nor intent."""
    tests = _uncertified(TestStanding, TestResult, TestResult.id == TestStanding.test_result_id)
    recovered = Recovery.id == RecoveryStanding.recovery_id
    recoveries = _uncertified(RecoveryStanding, Recovery, recovered)
    not_over = recoveries.where(Recovery.valid_until >= Recovery.recorded_on)
    return select(union_all(tests, not_over).subquery().c.id)


def _uncertified(
    standing: type[_Standing], fact: type[statement.Fact], its_own: ColumnElement[bool]
) -> Select[UUID]:
    live = exists().where(_OWN[standing], _LIVE)
    query = select(fact.id).join(standing, its_own).where(standing.counts == "valid", ~live)
    return query.where(fact.person_id.in_(_REACHABLE))


def _replaced() -> Select[object]:
    """Facts that another has replaced, and that still stand."""
    kinds = (
        (Dose, DoseStanding.dose_id, DoseStanding.counts),
        (TestResult, TestStanding.test_result_id, TestStanding.counts),
        (Recovery, RecoveryStanding.recovery_id, RecoveryStanding.counts),
    )
    stand = [
        select(fact.id).where(key == fact.replaces, counts != "entered_in_error")
        for fact, key, counts in kinds
    ]
    return select(union_all(*stand).subquery().c.id)


def _appointments() -> Select[object]:
    """Vaccinated appointments without a dose; one that is over may have one all the same."""
    dose = exists().where(Dose.appointment_id == Appointment.id)
    return select(Appointment.id).where(Appointment.state == "vaccinated", ~dose)


def _parties() -> Select[object]:
    """Parties of which one place is held still and another was booked: all or none is confirmed."""
    held = func.count().filter(Appointment.state == "held")
    over = func.count().filter(Appointment.state.not_in(("held", "expired", "cancelled")))
    parties = select(Appointment.party_id).where(Appointment.party_id.is_not(None))
    return parties.group_by(Appointment.party_id).having(held > 0, over > 0)


def _balances() -> Select[object]:
    """Balances of which a column is not the sum of its moves."""

    def moved(column: str) -> ColumnElement[int]:
        total = func.coalesce(func.sum(StockMove.change), 0)
        same = (StockMove.site_id == Stock.site_id, StockMove.lot_id == Stock.lot_id)
        query = select(total).where(*same, StockMove.total == column)
        return query.correlate(Stock).scalar_subquery()

    return select(Stock.lot_id).where(or_(*(getattr(Stock, c) != moved(c) for c in TOTALS)))


def _corrected() -> Select[object]:
    """Entries of which the right one stands and the wrong one too; transfers taken back by half."""

    def back(move_id: SQLColumnExpression[Any]) -> ColumnElement[bool]:
        other = aliased(StockMove)
        return exists().where(other.answers == move_id, other.kind.in_(TAKES_BACK))

    twice = StockMove.replaces.is_not(None) & ~back(StockMove.replaces)
    arrived = StockMove.kind == "transferred_in"
    halved = arrived & (back(StockMove.id) != back(StockMove.answers))
    return select(StockMove.id).where(or_(twice, halved))


def _taken() -> Select[object]:
    """Doses from lots in our books that took nothing, or marked in error and took something."""

    def moved(kind: str) -> ColumnElement[bool]:
        return exists().where(StockMove.dose_id == Dose.id, StockMove.kind == kind)

    took = and_(moved("given"), ~moved("given_back"))
    ours = and_(Dose.lot_id.is_not(None), Dose.site_id.is_not(None))
    return select(Dose.id).where(ours, Dose.source == "point_of_care", took == facts.IN_ERROR)


def _settled() -> Select[object]:
    """Doses that were judged otherwise than the lot's newest order says, though nobody is left."""
    newer = and_(LotValidity.lot_id == Lot.id, LotValidity.ordinal > Lot.judged_up_to)
    query = judging_again.stale().where(~exists().where(newer))
    return query.with_only_columns(Dose.id)


CHECKS: Mapping[str, Select[object]] = {
    "slot counters are their appointments": _counters(),
    "standings are the newest judgements": _standings(),
    "every dose stands somewhere": _unjudged(),
    "live certificates rest on facts that count": _live_certificates(),
    "doses that count have a certificate": _uncertified_doses(),
    "tests and recoveries that count have a certificate": _uncertified_findings(),
    "what was replaced is in error": _replaced(),
    "vaccinated appointments have their dose": _appointments(),
    "parties are booked as a whole": _parties(),
    "balances are their moves": _balances(),
    "what was entered wrong is taken back": _corrected(),
    "doses from known lots took their stock": _taken(),
    "doses of settled lots stand as the lots say": _settled(),
}


def differences(db: Session) -> list[Difference]:
    """Return the sums that do not come out; none when all is well."""
    found = [
        Difference(check, db.scalar(select(func.count()).select_from(query.subquery())) or 0)
        for check, query in CHECKS.items()
    ]
    return [difference for difference in found if difference.rows]
