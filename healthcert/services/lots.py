"""Lots: received into quarantine, released by another, set aside, extended, recalled.

Each order is a new validity. What it means for doses already given is judged afterwards, some
people at a time, by `judge_again`; the rows say who is left, so it may stop and begin anywhere.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from healthcert.data.knowledge import Country
from healthcert.errors import NotAllowed, NotFound, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Dose, DoseStanding, Lot, LotValidity, Staff
from healthcert.models.broken import broken_rule
from healthcert.policy import worth
from healthcert.services import audit, judging, messages, people

_REFUSALS = {"lot_release": NotAllowed, "lot_transition": WrongState, "lot_state": WrongState}
_OF_THE_LOT = ("unknown", "expired_lot", "recalled_lot")  # what a lot makes of a dose


def enter(
    db: Session, *, product_id: UUID, number: str, expires_on: date, since: date, staff: Staff,
    now: datetime,
) -> Lot:  # fmt: skip
    """Return a lot of a product, entered into quarantine if our books do not know it yet."""
    found = db.scalar(select(Lot).filter_by(product_id=product_id, number=number))
    if found is not None:
        return found
    lot = Lot(recorded_at=now, product_id=product_id, number=number, received_by=staff.id)
    db.add(lot)
    db.flush()
    first = LotValidity(expires_on=expires_on, released_on=min(since, expires_on))
    _order(db, lot, first, "quarantined", since, "received", staff, now)
    return lot


def order(
    db: Session, *, lot_id: UUID, state: str, since: date | None, reason: str, staff: Staff,
    now: datetime, expires_on: date | None = None,
) -> None:  # fmt: skip
    """Order what doses of a lot are worth that are given from a day on; again, it changes nothing.

    Released, they count. In quarantine, as after a warm fridge, they wait to be judged again.
    Recalled, they never count. What is not released is not offered or sent elsewhere.

    Args:
        db: A transaction.
        lot_id: The lot.
        state: ``released``, ``quarantined`` or ``recalled``.
        since: The first such day; None for all that was ever given.
        reason: A code, kept with it.
        staff: Who orders it; a release, somebody else than who received the lot.
        now: The moment of the deed.
        expires_on: The new last day, where a regulator sets one; else the old one stays.

    Raises:
        NotAllowed: This member of staff received the lot that is to be released.
        NotFound: No such lot.
        WrongState: It is recalled.
    """
    lot, newest = _locked(db, lot_id)
    first = db.scalars(select(func.min(LotValidity.since)).filter_by(lot_id=lot_id)).one()
    since = since or first
    expires_on = expires_on or newest.expires_on
    if (newest.state, newest.expires_on) == (state, expires_on) and newest.since <= since:
        return
    never_released = newest.ordinal == 1 and newest.state == "quarantined" and state == "released"
    released_on = max(since, newest.released_on) if never_released else newest.released_on
    told = LotValidity(released_on=min(released_on, expires_on), expires_on=expires_on)
    _order(db, lot, told, state, since, reason, staff, now)


def exhaust(db: Session, *, lot_id: UUID, staff: Staff, now: datetime) -> None:
    """Close a released lot of which no site has anything left.

    Raises:
        NotFound: No such lot.
        WrongState: It is not released, or some of it is left.
    """
    lot, _ = _locked(db, lot_id)
    try:
        with db.begin_nested():
            lot.state = "exhausted"
    except IntegrityError as error:
        raise _refusal(error) from None
    _note(db, "lot_exhausted", lot, {}, staff, now)


def judge_again(
    db: Session, *, vault: Vault, lot_id: UUID, country: Country, limit: int, now: datetime,
    after: UUID | None = None,
) -> UUID | None:  # fmt: skip
    """Judge the doses of a lot that stand otherwise than its validity in force says.

    Certificates let go, and everybody whose dose was recalled is told, in the transaction of the
    new judgement.

    Call it again with `after` the person it returned, each in a transaction of its own, until it
    returns None. At most `limit` people are locked, in the order of their ids.
    """
    stale = _stale(lot_id)
    everybody = stale.with_only_columns(Dose.person_id).distinct().order_by(Dose.person_id)
    if after is not None:
        everybody = everybody.where(Dose.person_id > after)
    last, recalled = None, db.get_one(Lot, lot_id).state == "recalled"
    for last in db.scalars(everybody.limit(limit)).all():
        person = people.locked(db, last)
        diseases = stale.with_only_columns(DoseStanding.disease).where(Dose.person_id == last)
        found = db.scalars(diseases.distinct().order_by(DoseStanding.disease)).all()
        for disease in found:
            judging.judge(
                db, vault=vault, person=person, disease=disease, country=country,
                judged_by=None, now=now,
            )  # fmt: skip
        if found and recalled:
            messages.queue(
                db, vault=vault, person=person, template="lot_recalled", fields={},
                time_zone=country.time_zone, due_at=now, now=now,
            )  # fmt: skip
    return last


def _stale(lot_id: UUID) -> Select[Dose]:
    """Select the doses of a lot whose standing is not what the lot's validity in force makes it."""
    valid, other = aliased(LotValidity), aliased(LotValidity)
    newest = select(func.max(other.ordinal)).where(
        other.lot_id == Dose.lot_id, other.since <= Dose.given_on
    )
    in_force = and_(
        valid.lot_id == Dose.lot_id, valid.ordinal == newest.correlate(Dose).scalar_subquery()
    )
    makes = case(
        (valid.state == "recalled", "recalled_lot"),
        (or_(valid.id.is_(None), valid.state != "released"), "unknown"),
        (Dose.given_on < valid.released_on, "unknown"),
        (Dose.given_on > valid.expires_on, "expired_lot"),
        else_="",
    )
    kept = DoseStanding.counts.in_((*worth.KEPT, "wrong_product"))
    fits = case(
        (makes == "", DoseStanding.counts.not_in(_OF_THE_LOT)), else_=makes == DoseStanding.counts
    )
    return (
        select(Dose)
        .join(DoseStanding, DoseStanding.dose_id == Dose.id)
        .outerjoin(valid, in_force)
        .where(Dose.lot_id == lot_id, Dose.source == "point_of_care", ~kept, ~fits)
    )


def _locked(db: Session, lot_id: UUID) -> tuple[Lot, LotValidity]:
    """Return a lot with its newest validity; nobody else orders or judges by it meanwhile."""
    query = select(Lot).where(Lot.id == lot_id).with_for_update(key_share=True)
    lot = db.scalar(query.execution_options(populate_existing=True))
    if lot is None:
        raise NotFound
    newest = select(LotValidity).filter_by(lot_id=lot_id).order_by(LotValidity.ordinal.desc())
    return lot, db.scalars(newest.limit(1)).one()


def _order(
    db: Session, lot: Lot, told: LotValidity, state: str, since: date, reason: str, staff: Staff,
    now: datetime,
) -> None:  # fmt: skip
    newest = select(func.max(LotValidity.ordinal)).filter_by(lot_id=lot.id)
    told.ordinal = (db.scalar(newest) or 0) + 1
    told.recorded_at, told.lot_id, told.product_id = now, lot.id, lot.product_id
    told.state, told.since, told.reason, told.ordered_by = state, since, reason, staff.id
    try:
        with db.begin_nested():
            db.add(told)
    except IntegrityError as error:
        raise _refusal(error) from None
    db.refresh(lot)  # the trigger moved it
    _note(db, f"lot_{state}", lot, {"since": since.isoformat(), "reason": reason}, staff, now)


def _refusal(error: IntegrityError) -> Exception:
    refusal = _REFUSALS.get(broken_rule(error))
    return error if refusal is None else refusal()


def _note(
    db: Session, act: str, lot: Lot, details: dict[str, audit.Detail], staff: Staff, now: datetime
) -> None:
    audit.note(
        db, actor=audit.Actor("staff", staff.id), act=act,
        subject=audit.Subject("lot", lot.id), details=details, now=now,
    )  # fmt: skip
