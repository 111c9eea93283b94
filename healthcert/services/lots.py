"""Lots: received into quarantine, released by another, set aside, extended, recalled.

Each order is a new validity. What it means for doses already given is judged afterwards, some
people at a time, by `judge_again`; the rows say who is left, so it may stop and begin anywhere.
The worker does so until nobody is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, and_, case, exists, func, or_, select
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
    came = LotValidity(
        ordinal=1, state="quarantined", since=since, released_on=min(since, expires_on),
        expires_on=expires_on, reason="received",
    )  # fmt: skip
    _write(db, lot, came, staff, now)
    return lot


def order(
    db: Session, *, lot_id: UUID, state: str, since: date | None, reason: str, staff: Staff,
    now: datetime, expires_on: date | None = None,
) -> None:  # fmt: skip
    """Order what doses of a lot are worth that are given from a day on; again, it changes nothing.

    ``released``, they count; ``quarantined``, as after a warm fridge, they wait to be judged again;
    ``recalled``, they never count. What is not released is not offered or sent elsewhere.

    `since` is the first such day, None for all that was ever given. `expires_on` is a new last day
    that a regulator set; without one the old one stays.

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
    out = newest.state == "quarantined" and state == "released"
    told = LotValidity(
        ordinal=newest.ordinal + 1, state=state, since=since, expires_on=expires_on,
        released_on=min(since if out else newest.released_on, expires_on), reason=reason,
    )  # fmt: skip
    _write(db, lot, told, staff, now)


def exhaust(db: Session, *, lot_id: UUID, staff: Staff, now: datetime) -> None:
    """Close a released lot of which no site has anything left.

    Raises:
        NotFound: No such lot.
        WrongState: It is not released, or some of it is left.
    """
    lot, _ = _locked(db, lot_id)
    with _refusing(db):
        lot.state = "exhausted"
    _note(db, lot, "lot_exhausted", {}, staff, now)


def unsettled(db: Session) -> list[UUID]:
    """Return the lots of which doses may still stand otherwise than the newest order says."""
    newer = LotValidity.ordinal > Lot.judged_up_to
    query = select(Lot.id).where(exists().where(LotValidity.lot_id == Lot.id, newer))
    return list(db.scalars(query.order_by(Lot.id)))


def judge_again(
    db: Session, *, vault: Vault, lot_id: UUID, country: Country, limit: int, now: datetime,
    after: UUID | None = None,
) -> UUID | None:  # fmt: skip
    """Judge the doses of a lot that stand otherwise than its validity in force says.

    At most `limit` people are locked, in the order of their ids; those with a recalled dose are
    told. Call it with `after` the person it returned, in another transaction, until it is None.
    """
    doses = stale().where(Dose.lot_id == lot_id)
    everybody = doses.with_only_columns(Dose.person_id).distinct().order_by(Dose.person_id)
    if after is not None:
        everybody = everybody.where(Dose.person_id > after)
    lot, newest = _newest(db, lot_id)
    last = None
    for last in db.scalars(everybody.limit(limit)).all():
        person = people.locked(db, last)
        diseases = doses.with_only_columns(DoseStanding.disease).where(Dose.person_id == last)
        found = db.scalars(diseases.distinct().order_by(DoseStanding.disease)).all()
        for disease in found:
            judging.judge(
                db, vault=vault, person=person, disease=disease, country=country,
                judged_by=None, now=now,
            )  # fmt: skip
        if found and newest.state == "recalled":
            messages.queue(
                db, vault=vault, person=person, template="lot_recalled", fields={},
                time_zone=country.time_zone, due_at=now, now=now,
            )  # fmt: skip
    if last is None:
        lot.judged_up_to = newest.ordinal
    return last


def stale() -> Select[Dose]:
    """Select doses whose standing is not what the validity of their lot in force makes of them."""
    valid, other = aliased(LotValidity), aliased(LotValidity)
    reaches = and_(other.lot_id == Dose.lot_id, other.since <= Dose.given_on)
    newest = select(func.max(other.ordinal)).where(reaches).correlate(Dose).scalar_subquery()
    in_force = and_(valid.lot_id == Dose.lot_id, valid.ordinal == newest)
    makes = case(
        (valid.state == "recalled", "recalled_lot"),
        (or_(valid.id.is_(None), valid.state != "released"), "unknown"),
        (Dose.given_on < valid.released_on, "unknown"),
        (Dose.given_on > valid.expires_on, "expired_lot"),
        else_="",
    )
    kept = DoseStanding.counts.in_((*worth.KEPT, "wrong_product"))
    good = DoseStanding.counts.not_in(_OF_THE_LOT)
    fits = case((makes == "", good), else_=makes == DoseStanding.counts)
    return (
        select(Dose)
        .join(DoseStanding, DoseStanding.dose_id == Dose.id)
        .outerjoin(valid, in_force)
        .where(Dose.lot_id.is_not(None), Dose.source == "point_of_care", ~kept, ~fits)
    )


def _locked(db: Session, lot_id: UUID) -> tuple[Lot, LotValidity]:
    """Return a lot with its newest validity; nobody else orders or judges by it meanwhile."""
    lot = select(Lot.id).where(Lot.id == lot_id).with_for_update(key_share=True)
    if db.scalar(lot) is None:
        raise NotFound
    return _newest(db, lot_id)


def _newest(db: Session, lot_id: UUID) -> tuple[Lot, LotValidity]:
    query = select(LotValidity).filter_by(lot_id=lot_id).order_by(LotValidity.ordinal.desc())
    lot = db.get_one(Lot, lot_id, populate_existing=True)
    return lot, db.scalars(query.limit(1)).one()


def _write(db: Session, lot: Lot, told: LotValidity, staff: Staff, now: datetime) -> None:
    told.recorded_at, told.ordered_by = now, staff.id
    told.lot_id, told.product_id = lot.id, lot.product_id
    with _refusing(db):
        db.add(told)
    db.refresh(lot)  # the trigger moved it
    details = {"since": told.since.isoformat(), "reason": told.reason}
    _note(db, lot, f"lot_{told.state}", details, staff, now)


@contextmanager
def _refusing(db: Session) -> Iterator[None]:
    try:
        with db.begin_nested():
            yield
    except IntegrityError as error:
        if (rule := broken_rule(error)) in _REFUSALS:
            raise _REFUSALS[rule] from None
        raise


def _note(
    db: Session, lot: Lot, act: str, details: Mapping[str, audit.Detail], staff: Staff,
    now: datetime,
) -> None:  # fmt: skip
    actor, subject = audit.Actor("staff", staff.id), audit.Subject("lot", lot.id)
    audit.note(db, actor=actor, act=act, subject=subject, details=details, now=now)
