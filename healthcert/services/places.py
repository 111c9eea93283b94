"""Places in slots: taken, held by an appointment, given back, each by one guarded statement.

Plain SQL and no mapped objects on this path: what is compared is what lies in the database.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Update,
    bindparam,
    case,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from healthcert.errors import AlreadyBooked, SlotFull, TimesOverlap, WrongState
from healthcert.models import (
    Appointment,
    Base,
    ClinicSession,
    Offer,
    Slot,
    WaitEntry,
    new_id,
    plain,
    upsert,
)
from healthcert.models.appointment import ACTIVE
from healthcert.models.broken import broken_rule
from healthcert.models.place import KEPT, OPEN
from healthcert.models.straight import Straight
from healthcert.policy import reference
from healthcert.services import audit, messages

_SLOT, _APPOINTMENT = (Base.metadata.tables[name] for name in ("slot", "appointment"))
_OPEN_PLACE: ColumnElement[bool] = Slot.places() > 0
_REFUSALS = {
    "one_active_appointment": AlreadyBooked,
    "appointment_overlap": TimesOverlap,
}
_AT_ONCE = 500  # expired holds that one statement lets go
_SOMEBODY_WAITS = (
    select(WaitEntry.id)
    .join(ClinicSession, ClinicSession.programme_id == WaitEntry.programme_id)
    .where(ClinicSession.id == _SLOT.c.session_id, WaitEntry.state == "waiting")
    .where(
        WaitEntry.site_id.is_(None)
        | WaitEntry.within_km.is_not(None)
        | (WaitEntry.site_id == ClinicSession.site_id)
    )
    .correlate(_SLOT)
    .exists()
)

_IS_OFFERED = exists().where(Offer.slot_id == _SLOT.c.id, Offer.state == "open")


class Hold(NamedTuple):
    """The identifier of an appointment that is held, with which party, and how long."""

    id: UUID
    party_id: UUID | None
    held_until: datetime | None


def pools_of(source: str, dose_number: int) -> tuple[str, ...]:
    """Return the pools a booking may draw from beside the open places, in the order tried.

    Second doses have their own, whoever books them; then comes the one of the way it was booked.
    """
    return (("second_dose",) if dose_number > 1 else ()) + ((source,) if source in KEPT else ())


def take_place(db: Session, slot: Slot, pools: Collection[str] = (), *, now: datetime) -> str:
    """Take one place, if there is one; return the pool it was taken from.

    Places kept for these pools go first, then the open ones. A slot that keeps nothing for them,
    as it was read, costs no statement more. Where all are taken, holds of the slot that are over
    are let go first: nobody depends on the sweeper.

    Raises:
        SlotFull: There is none.
    """
    pool = _taken(db, slot, pools)
    if pool is None and expire(db, slot_id=slot.id, now=now):
        pool = _taken(db, slot, pools)
    if pool is None:
        raise SlotFull(slot.id)
    return pool


def _taken(db: Session, slot: Slot, pools: Collection[str]) -> str | None:
    for pool in (*(each for each in pools if getattr(slot, f"kept_{each}")), OPEN):
        if _taking(pool).rows(db, one=slot.id):
            return pool
    return None


@cache
def _taking(pool: str) -> Straight:
    if pool == OPEN:
        free, more = _OPEN_PLACE, {}
    else:
        booked = _SLOT.c[f"booked_{pool}"]
        free, more = booked < _SLOT.c[f"kept_{pool}"], {booked.name: booked + 1}
    taken = update(_SLOT).where(_SLOT.c.id == bindparam("one"), free)
    return Straight(taken.values({"booked": _SLOT.c.booked + 1, **more}).returning(_SLOT.c.id))


def hold_place(
    db: Session, *, person_id: UUID, slot: Slot, pool: str, programme_id: UUID, dose_number: int,
    source: str, now: datetime, hold: Hold | None = None, exception_reason: str | None = None,
) -> Appointment:  # fmt: skip
    """Write the appointment that holds a place just taken: booked, or held with its party.

    The database judges it; on PostgreSQL the transaction is over when it refuses.

    Raises:
        AlreadyBooked: The person has an appointment for this dose.
        TimesOverlap: The person has another appointment at that time.
    """
    row = row_of(
        person_id=person_id, slot=slot, pool=pool, programme_id=programme_id, source=source,
        dose_number=dose_number, now=now, hold=hold, exception_reason=exception_reason,
    )  # fmt: skip
    writing = upsert(db, "appointment").on_conflict_do_nothing(index_elements=["reference"])
    while True:  # references have 35 bits: even the second is a rarity
        with judged("uq_appointment_reference"):
            if db.execute(writing.returning(_APPOINTMENT.c.id), row).one_or_none() is not None:
                return plain(Appointment, row)
        row["reference"] = new_reference()


def row_of(
    *, person_id: UUID, slot: Slot, pool: str, programme_id: UUID, dose_number: int, source: str,
    now: datetime, hold: Hold | None = None, exception_reason: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the row of an appointment: booked, or held with its party."""
    held = (hold or Hold(new_id(), None, None))._asdict()
    return {
        "recorded_at": now, "person_id": person_id, "slot_id": slot.id, "source": source,
        "starts_at": slot.starts_at, "ends_at": slot.ends_at, "programme_id": programme_id,
        "dose_number": dose_number, "state": "held" if hold else "booked", "pool": pool,
        "reminded": 0, "reference": new_reference(), **held,
        "exception_reason": exception_reason or None,
    }  # fmt: skip


def at_once(db: Session, slot: Slot, **rows: audit.Rows) -> bool:
    """Take an open place and write rows of these tables in one statement; False: nothing was done.

    That is where no place is open, and where the reference is taken. The slot is locked for this
    statement and the commit alone.

    Raises:
        AlreadyBooked: The person has an appointment for this dose.
        TimesOverlap: The person has another appointment at that time.
    """
    with judged():
        return _at_once(db, _TAKING, slot.id, rows)


def keep(db: Session, held: Sequence[Appointment], **rows: audit.Rows) -> None:
    """Book what is held, and write rows of these tables; of one appointment in one statement."""
    alone = len(held) == 1 and all(len(some or ()) <= 1 for some in rows.values())
    if not (alone and is_postgresql(db) and _at_once(db, _KEEPING, held[0].id, rows)):
        for one in held:
            db.execute(_KEEPING, {"one": one.id})
        messages.write(db, **rows)
    for each in held:
        set_committed_value(each, "state", "booked")
        set_committed_value(each, "held_until", None)


def is_postgresql(db: Session) -> bool:
    """Say whether one statement may write into several tables there."""
    return db.get_bind().dialect.name == "postgresql"


def _at_once(db: Session, taking: Update, one: UUID, rows: Mapping[str, audit.Rows]) -> bool:
    told = [(name, row) for name, some in rows.items() for row in some or ()]
    values = {f"{name}_{key}": value for name, row in told for key, value in row.items()}
    statement = _statement(taking, tuple((name, tuple(row)) for name, row in told))
    return bool(statement.rows(db, one=one, **values))


_NAMED = select(_APPOINTMENT.c.id).where(
    _APPOINTMENT.c.reference == bindparam("appointment_reference")
)
_TAKING = (
    update(_SLOT)
    .where(_SLOT.c.id == bindparam("one"), _OPEN_PLACE, ~_NAMED.exists())
    .values(booked=_SLOT.c.booked + 1)
    .returning(_SLOT.c.id)
)
_KEEPING = (
    update(_APPOINTMENT)
    .where(_APPOINTMENT.c.id == bindparam("one"), _APPOINTMENT.c.state == "held")
    .values(state="booked", held_until=None)
    .returning(_APPOINTMENT.c.id)
)


@cache
def _statement(taking: Update, shapes: tuple[tuple[str, tuple[str, ...]], ...]) -> Straight:
    taken = taking.cte("taken")
    written = []
    for name, keys in shapes:
        table = Base.metadata.tables[name]
        values = (bindparam(f"{name}_{key}", type_=table.c[key].type) for key in keys)
        one = insert(table).from_select(keys, select(*values).select_from(taken))
        written.append(one.cte(f"wrote_{name}"))
    return Straight(select(taken.c.id).add_cte(*written))


@contextmanager
def judged(*but: str) -> Iterator[None]:
    """Refuse what the database refuses of an appointment; what breaks only rules `but` passes.

    Raises:
        AlreadyBooked: The person has an appointment for this dose.
        TimesOverlap: The person has another appointment at that time.
    """
    try:
        yield
    except IntegrityError as error:
        rule = broken_rule(error)
        if rule in _REFUSALS:
            raise _REFUSALS[rule] from None
        if rule not in but:
            raise


def give_back(db: Session, appointment: Appointment, state: str) -> None:
    """End an active appointment and free its place, in the pool it was taken from.

    While somebody waits for the programme and the site, a place that was open goes to those who
    wait. That of a hold does not: else whoever holds and lets go would close a slot to the others.

    Raises:
        WrongState: It is not active any more.
    """
    was_held, slot_id = appointment.state == "held", appointment.slot_id
    change_state(db, appointment, state, before=ACTIVE)
    waits = not was_held and appointment.pool in (OPEN, "waiting")
    _free(db, slot_id, Counter([appointment.pool]), to_waiting=waits)


def _free(db: Session, slot_id: UUID, pools: Counter[str], *, to_waiting: bool = False) -> None:
    freed = {"booked": pools.total()} | {f"booked_{each}": pools[each] for each in KEPT}
    values = {name: _SLOT.c[name] - count for name, count in freed.items() if count}
    if to_waiting:
        kept = _SLOT.c.kept_waiting - pools["waiting"]
        values["kept_waiting"] = kept + case((_SOMEBODY_WAITS, 1), else_=0)
    db.execute(update(_SLOT).where(_SLOT.c.id == slot_id).values(values))


def expire(db: Session, *, now: datetime, slot_id: UUID | None = None) -> int:
    """Let go of holds that are over, of one slot or of all; return how many.

    One that somebody is confirming at this moment is left to them: nobody waits for a row here,
    so that slots and appointments may be locked in either order.
    """
    told = {"slot": slot_id} if slot_id else {}
    these = [row[0] for row in _over(*told).rows(db, now=now, **told)]
    if not these:
        return 0
    gone = update(_APPOINTMENT).where(_APPOINTMENT.c.id.in_(these))
    gone = gone.values(state="expired", held_until=None)
    freed: dict[UUID, Counter[str]] = {}
    for slot, pool in db.execute(gone.returning(_APPOINTMENT.c.slot_id, _APPOINTMENT.c.pool)):
        freed.setdefault(slot, Counter())[pool] += 1
    for slot in sorted(freed):
        _free(db, slot, freed[slot])
    return len(these)


@cache
def _over(*named: str) -> Straight:
    """Return the query for holds that are over, of a slot where that is named."""
    over = select(_APPOINTMENT.c.id).where(_APPOINTMENT.c.held_until <= bindparam("now"))
    for name in named:
        over = over.where(_APPOINTMENT.c.slot_id == bindparam(name))
    return Straight(over.limit(_AT_ONCE).with_for_update(skip_locked=True))


def release(db: Session, *, hours: Mapping[str, int], now: datetime) -> int:
    """Open places kept for a pool that nobody took, so many hours before the slot.

    Returns how many slots opened some. A slot that is being booked is left to the next round.
    """
    count = 0
    for pool, before in hours.items():
        kept, booked = _SLOT.c[f"kept_{pool}"], _SLOT.c[f"booked_{pool}"]
        soon = _SLOT.c.starts_at.between(now, now + timedelta(hours=before))
        unused = select(_SLOT.c.id).where(soon, kept > booked).order_by(_SLOT.c.id)
        if pool == "waiting":
            unused = unused.where(~_IS_OFFERED)
        these = db.scalars(unused.with_for_update(skip_locked=True, key_share=True)).all()
        if these:
            opened = update(_SLOT).where(_SLOT.c.id.in_(these), kept > booked)
            count += len(db.execute(opened.values({kept.name: booked}).returning(kept)).all())
    return count


def change_state(
    db: Session, appointment: Appointment, state: str, *, before: Collection[str],
    why_not: str | None = None,
) -> None:  # fmt: skip
    """Move an appointment on, by a single statement that says from where, and why nothing is given.

    Raises:
        WrongState: It is in none of the states `before`.
        AlreadyBooked, TimesOverlap: It was over, and the person has booked again meanwhile.
    """
    moved = (
        update(_APPOINTMENT)
        .where(_APPOINTMENT.c.id == appointment.id, _APPOINTMENT.c.state.in_(before))
        .values(state=state, held_until=None, why_not=why_not)
        .returning(_APPOINTMENT.c.id)
    )
    with judged():
        found = db.execute(moved).one_or_none()
    if found is None:
        raise WrongState
    db.refresh(appointment)


def lock(db: Session, slot_ids: Collection[UUID]) -> None:
    """Lock slots, always in the order of their ids, so that nobody waits crosswise."""
    query = select(Slot.id).where(Slot.id.in_(slot_ids)).order_by(Slot.id)
    db.execute(query.with_for_update(key_share=True)).all()


def new_reference() -> str:
    """Return a fresh reference such as ``HC-7K4M-2QXD``, told by nobody and guessed by nobody."""
    return reference.write(secrets.randbelow(reference.BEFORE))
