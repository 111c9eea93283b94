"""Count again: what a counter or a standing says against the rows it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from healthcert.models import (
    Appointment,
    Certificate,
    Dose,
    DoseJudgement,
    DoseStanding,
    Lot,
    LotValidity,
    ProductTarget,
    Slot,
    Stock,
    StockMove,
)
from healthcert.models.stock import MOVES
from healthcert.services import judging_again

_HOLDS_A_PLACE = ("held", "booked", "arrived", "vaccinated", "not_vaccinated", "no_show")


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum that does not come out: which, and in how many rows."""

    check: str
    rows: int


def _counters() -> Select[object]:
    """Slots whose counter is not the number of appointments that hold a place."""
    held = (
        select(Appointment.slot_id, func.count().label("places"))
        .where(Appointment.state.in_(_HOLDS_A_PLACE))
        .group_by(Appointment.slot_id)
        .subquery()
    )
    return (
        select(Slot.id)
        .outerjoin(held, held.c.slot_id == Slot.id)
        .where(Slot.booked != func.coalesce(held.c.places, 0))
    )


def _standings() -> Select[object]:
    """Standings that are not the newest judgement."""
    newer = aliased(DoseJudgement)
    return select(DoseStanding.judgement_id).join(
        newer,
        and_(
            newer.dose_id == DoseStanding.dose_id,
            newer.disease == DoseStanding.disease,
            newer.ordinal > DoseStanding.ordinal,
        ),
    )


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
    """Live certificates of a dose that does not count."""
    counts = and_(
        DoseStanding.dose_id == Certificate.dose_id,
        DoseStanding.disease == Certificate.disease,
        DoseStanding.counts == "valid",
    )
    return (
        select(Certificate.id)
        .outerjoin(DoseStanding, counts)
        .where(Certificate.state.in_(("intended", "issued")), DoseStanding.dose_id.is_(None))
    )


def _uncertified() -> Select[object]:
    """Doses that count and have neither certificate nor intent."""
    live = and_(
        Certificate.dose_id == DoseStanding.dose_id,
        Certificate.disease == DoseStanding.disease,
        Certificate.state.in_(("intended", "issued")),
    )
    return (
        select(DoseStanding.dose_id)
        .outerjoin(Certificate, live)
        .where(DoseStanding.counts == "valid", Certificate.id.is_(None))
    )


def _appointments() -> Select[object]:
    """Vaccinated appointments without a dose, and doses of others."""
    return (
        select(Appointment.id)
        .outerjoin(Dose, Dose.appointment_id == Appointment.id)
        .where(
            or_(
                and_(Appointment.state == "vaccinated", Dose.id.is_(None)),
                and_(Appointment.state != "vaccinated", Dose.id.is_not(None)),
            )
        )
    )


def _balances() -> Select[object]:
    """Balances of which a column is not the sum of its moves."""
    back = StockMove.kind.in_(("given_back", "explained"))
    quantity = case((back, -StockMove.quantity), else_=StockMove.quantity)

    def moved(column: str) -> ColumnElement[int]:
        kinds = [kind for kind in MOVES if MOVES[kind] == column]
        total = func.coalesce(func.sum(quantity), 0)
        same = (StockMove.site_id == Stock.site_id, StockMove.lot_id == Stock.lot_id)
        query = select(total).where(*same, StockMove.kind.in_(kinds))
        return query.correlate(Stock).scalar_subquery()

    columns = sorted(set(MOVES.values()))
    return select(Stock.lot_id).where(or_(*(getattr(Stock, c) != moved(c) for c in columns)))


def _taken() -> Select[object]:
    """Doses from lots in our books that took nothing, or marked in error and took something."""

    def moved(kind: str) -> ColumnElement[bool]:
        return exists().where(StockMove.dose_id == Dose.id, StockMove.kind == kind)

    error = DoseStanding.counts == "entered_in_error"
    in_error = exists().where(DoseStanding.dose_id == Dose.id, error)
    took = and_(moved("given"), ~moved("given_back"))
    ours = and_(Dose.lot_id.is_not(None), Dose.site_id.is_not(None))
    return select(Dose.id).where(ours, Dose.source == "point_of_care", in_error == took)


def _settled() -> Select[object]:
    """Doses that were judged otherwise than the lot's newest order says, though nobody is left."""
    newer = and_(LotValidity.lot_id == Lot.id, LotValidity.ordinal > Lot.judged_up_to)
    query = judging_again.stale().join(Lot, Lot.id == Dose.lot_id).where(~exists().where(newer))
    return query.with_only_columns(Dose.id)


CHECKS: Mapping[str, Select[object]] = MappingProxyType(
    {
        "slot counters are their appointments": _counters(),
        "standings are the newest judgements": _standings(),
        "every dose stands somewhere": _unjudged(),
        "live certificates rest on doses that count": _live_certificates(),
        "doses that count have a certificate": _uncertified(),
        "vaccinated appointments have their dose": _appointments(),
        "balances are their moves": _balances(),
        "doses from known lots took their stock": _taken(),
        "doses of settled lots stand as the lots say": _settled(),
    }
)


def differences(db: Session) -> list[Difference]:
    """Return the sums that do not come out; none when all is well."""
    found = [
        Difference(check, db.scalar(select(func.count()).select_from(query.subquery())) or 0)
        for check, query in CHECKS.items()
    ]
    return [difference for difference in found if difference.rows]
