"""Lots: received into quarantine, released by another, set aside, extended, recalled.

Each order is a new validity; what it means for doses already given is for `judging_again`.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Row, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotAllowed, WrongState, there
from healthcert.models import Dose, Lot, LotValidity, PersonToken, Product, Site, Staff
from healthcert.models.broken import refusing
from healthcert.services import audit, facts
from healthcert.services.elsewhere import day_in
from healthcert.services.part import Part

RECALLS = ("regulator", "producer", "cold_chain")  # the reasons there are
_REFUSALS = {"lot_release": NotAllowed, "lot_transition": WrongState, "lot_state": WrongState}


def known(
    db: Session, *, lot_id: UUID | None = None, part: Part | None = None
) -> Sequence[Row[UUID, str, str, str, date, str, UUID | None]]:
    """Return every lot or one, by product and number, with its last day as ordered last.

    Of a `part`, the lots come in the order in which they were entered.
    """
    other = aliased(LotValidity)
    last = select(func.max(other.ordinal)).where(other.lot_id == Lot.id).scalar_subquery()
    query = (
        select(
            Lot.id, Product.code.label("product"), Lot.number, Lot.state, LotValidity.expires_on,
            Product.name, Lot.received_by,
        )
        .join(Product, Product.id == Lot.product_id)
        .join(LotValidity, LotValidity.lot_id == Lot.id)
        .where(LotValidity.ordinal == last)
        .order_by(Product.code, Lot.number)
    )  # fmt: skip
    query = part.of(query, Lot.id) if part else query
    return db.execute(query if lot_id is None else query.where(Lot.id == lot_id)).all()


def reached(db: Session, *, lot_id: UUID) -> Sequence[Row[Site, int, int]]:
    """Return how many people had a dose of a lot, by site or, for elsewhere, None.

    The last number are those of them who left neither a telephone nor an address to be told by.
    """
    people = func.count(Dose.person_id.distinct()).label("people")
    ways = PersonToken.person_id == Dose.person_id, PersonToken.kind.in_(("phone", "mail"))
    silent = case((~exists().where(*ways), Dose.person_id))
    untold = func.count(silent.distinct()).label("untold")
    query = select(Site, people, untold).select_from(Dose)
    query = query.outerjoin(Site, Site.id == Dose.site_id)
    query = (
        query.where(facts.of_lot(lot_id), ~facts.IN_ERROR).group_by(Site.id).order_by(people.desc())
    )
    return db.execute(query).all()


def enter(
    db: Session, *, product_id: UUID, number: str, expires_on: date, since: date, staff: Staff,
    now: datetime,
) -> Lot:  # fmt: skip
    """Return a lot of a product, entered into quarantine if our books do not know it yet."""
    one = select(Lot).filter_by(product_id=product_id, number=number)
    if (found := db.scalar(one)) is not None:
        return found
    # Doses of the product that are being written go before: see `facts.held_lots`.
    db.execute(select(Product.id).where(Product.id == product_id).with_for_update()).all()
    if (found := db.scalar(one)) is not None:
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
    country: Country, now: datetime, expires_on: date | None = None,
) -> None:  # fmt: skip
    """Order what doses of a lot are worth that are given from a day on; again, it changes nothing.

    ``released``, they count; ``quarantined``, as after a warm fridge, they wait to be judged again;
    ``recalled``, they never count. What is not released is not offered or sent elsewhere.

    `since` is the first such day, None for all that was ever given. `expires_on` is a new last day
    that a regulator set, not over by the country's clock; without one the old one stays.

    Raises:
        BadInput: The new last day is over: doses that counted would not.
        NotAllowed: This member of staff received the lot that is to be released.
        NotFound: No such lot.
        WrongState: It is recalled.
    """
    if expires_on and expires_on < day_in(country, now):
        raise BadInput({"expires_on": "too_long_ago"})
    lot, last = _locked(db, lot_id)
    first = select(func.min(LotValidity.since)).filter_by(lot_id=lot_id)
    # A recall is of all, also of what was given before the lot was in our books.
    since = since or (date.min if state == "recalled" else db.scalars(first).one())
    expires_on = expires_on or last.expires_on
    if (last.state, last.expires_on) == (state, expires_on) and last.since <= since:
        return
    out = last.state == "quarantined" and state == "released"
    told = LotValidity(
        ordinal=last.ordinal + 1, state=state, since=since, expires_on=expires_on,
        released_on=min(since if out else last.released_on, expires_on), reason=reason,
    )  # fmt: skip
    _write(db, lot, told, staff, now)


def exhaust(db: Session, *, lot_id: UUID, staff: Staff, now: datetime) -> None:
    """Close a released lot of which no site has anything left.

    Raises:
        NotFound: No such lot.
        WrongState: It is not released, or some of it is left.
    """
    lot, _ = _locked(db, lot_id)
    with refusing(db, _REFUSALS):
        lot.state = "exhausted"
    audit.done(db, "lot_exhausted", lot, {}, by=staff, now=now)


def _locked(db: Session, lot_id: UUID) -> tuple[Lot, LotValidity]:
    """Return a lot with its newest validity; nobody else orders or judges by it meanwhile."""
    one = select(Lot).where(Lot.id == lot_id).with_for_update(key_share=True)
    lot = there(db.scalar(one.execution_options(populate_existing=True)))
    return lot, newest(db, lot_id)


def newest(db: Session, lot_id: UUID) -> LotValidity:
    """Return what was ordered last of a lot."""
    query = select(LotValidity).filter_by(lot_id=lot_id).order_by(LotValidity.ordinal.desc())
    return db.scalars(query.limit(1)).one()


def _write(db: Session, lot: Lot, told: LotValidity, staff: Staff, now: datetime) -> None:
    told.recorded_at, told.ordered_by = now, staff.id
    told.lot_id, told.product_id = lot.id, lot.product_id
    with refusing(db, _REFUSALS):
        db.add(told)
    db.refresh(lot)  # the trigger moved it
    details = {"since": told.since.isoformat(), "reason": told.reason}
    audit.done(db, f"lot_{told.state}", lot, details, by=staff, now=now)
