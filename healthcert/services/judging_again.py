"""Judge again the doses of a lot that was recalled, set aside, released or extended.

Some people at a time, each in a transaction of its own. The rows themselves say who is left, so
it may stop and begin anywhere; the worker does so until nobody is.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, case, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from healthcert.data.knowledge import Country
from healthcert.gateways.vault import Vault
from healthcert.models import Dose, DoseStanding, Lot, LotValidity
from healthcert.policy import worth
from healthcert.services import facts, issuing, judging, people

_OF_THE_LOT = ("unknown", "expired_lot", "recalled_lot")  # what a lot makes of a dose


def unsettled(db: Session) -> list[UUID]:
    """Return the lots of which doses may still stand otherwise than the newest order says."""
    newer = LotValidity.ordinal > Lot.judged_up_to
    query = select(Lot.id).where(exists().where(LotValidity.lot_id == Lot.id, newer))
    return list(db.scalars(query.order_by(Lot.id)))


def left(db: Session, *, lot_id: UUID) -> int:
    """Return how many doses of a lot still stand otherwise than its newest order says."""
    doses = stale().where(facts.of_lot(lot_id)).with_only_columns(func.count(Dose.id.distinct()))
    return db.scalars(doses).one()


def judge_again(
    db: Session, *, vault: Vault, lot_id: UUID, country: Country, limit: int, now: datetime,
    after: UUID | None = None,
) -> UUID | None:  # fmt: skip
    """Judge doses of a lot that stand otherwise than its validities say; return the last person.

    At most `limit` people are locked, in the order of their ids; those with a recalled dose are
    told. Call it with `after` the person it returned, in another transaction, until it is None;
    then once more from the start, since an order may have come meanwhile: that settles the lot.
    """
    doses = stale().where(facts.of_lot(lot_id))
    everybody = doses.with_only_columns(Dose.person_id).distinct().order_by(Dose.person_id)
    if after is not None:
        everybody = everybody.where(Dose.person_id > after)
    state = select(Lot.state).where(Lot.id == lot_id)
    newest = db.scalar(select(func.max(LotValidity.ordinal)).filter_by(lot_id=lot_id)) or 0
    last = None
    for last in db.scalars(everybody.limit(limit)).all():
        person = people.locked(db, last)
        diseases = doses.with_only_columns(DoseStanding.disease).where(Dose.person_id == last)
        found = db.scalars(diseases.distinct().order_by(DoseStanding.disease)).all()
        for disease in found:
            judging.judge(
                db, vault=vault, people=[person], disease=disease, country=country,
                judged_by=None, now=now,
            )  # fmt: skip
        if found and db.scalar(state) == "recalled":  # now: an order may come at any moment
            issuing.tell(db, vault, person, "lot_recalled", country, now)
    if last is None and after is None:
        db.execute(update(Lot).where(Lot.id == lot_id).values(judged_up_to=newest))
    return last


def stale() -> Select[Dose]:
    """Select doses, beside their lots, that stand otherwise than the validity in force makes them.

    Of doses given elsewhere, and of those that were written down before our books knew the lot, a
    recall alone is asked: nothing else of a lot is ours to judge them by. It goes before all but an
    entry in error: also before what a person found, since whoever had the dose is to be told.
    """
    valid, other = aliased(LotValidity), aliased(LotValidity)
    reaches = and_(other.lot_id == Lot.id, other.since <= Dose.given_on)
    newest = select(func.max(other.ordinal)).where(reaches).correlate(Dose, Lot).scalar_subquery()
    in_force = and_(valid.lot_id == Lot.id, valid.ordinal == newest)
    makes = case(
        (valid.state == "recalled", "recalled_lot"),
        (or_(valid.id.is_(None), valid.state != "released"), "unknown"),
        (Dose.given_on < valid.released_on, "unknown"),
        (Dose.given_on > valid.expires_on, "expired_lot"),
        else_="",
    )
    ours = and_(Dose.lot_id.is_not(None), Dose.source == "point_of_care")
    stands = DoseStanding.counts
    kept = case(
        (valid.state == "recalled", stands == "entered_in_error"),
        else_=stands.in_((*worth.KEPT, "wrong_product")),
    )
    fits = case((makes == "", stands.not_in(_OF_THE_LOT)), else_=makes == stands)
    return (
        select(Dose)
        .join(Lot, Lot.id == facts.LOT)
        .join(DoseStanding, DoseStanding.dose_id == Dose.id)
        .outerjoin(valid, in_force)
        .where(or_(ours, valid.state == "recalled"), ~kept, ~fits)
    )
