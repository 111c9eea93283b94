"""Places in slots: taken, held by an appointment, given back, each by one guarded statement.

Plain SQL and no mapped objects on this path: what is compared is what lies in the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, SlotFull, TimesOverlap, WrongState
from healthcert.models import Appointment, Base, Slot, new_id
from healthcert.models.appointment import ACTIVE
from healthcert.models.broken import broken_rule
from healthcert.models.place import KEPT, OPEN
from healthcert.policy import reference

_SLOT, _APPOINTMENT = (Base.metadata.tables[name] for name in ("slot", "appointment"))
_OPEN_PLACE: ColumnElement[bool] = Slot.places() > 0
_REFUSALS = {
    "one_active_appointment": AlreadyBooked,
    "appointment_overlap": TimesOverlap,
}
_TRIES = 4  # references: 35 bits, so that even the second is a rarity


def pools_of(source: str, dose_number: int) -> tuple[str, ...]:
    """Return the pools a booking may draw from beside the open places, in the order tried.

    Second doses have their own, whoever books them; then comes the one of the way it was booked.
    """
    return (("second_dose",) if dose_number > 1 else ()) + ((source,) if source in KEPT else ())


def take_place(db: Session, slot: Slot, pools: Collection[str] = ()) -> str:
    """Take one place, if there is one; return the pool it was taken from.

    Places kept for these pools go first, then the open ones. A slot that keeps nothing for them,
    as it was read, costs no statement more.

    Raises:
        SlotFull: There is none.
    """
    for pool in (*(each for each in pools if getattr(slot, f"kept_{each}")), OPEN):
        if pool == OPEN:
            free, more = _OPEN_PLACE, {}
        else:
            booked = _SLOT.c[f"booked_{pool}"]
            free, more = booked < _SLOT.c[f"kept_{pool}"], {booked.name: booked + 1}
        taken = update(_SLOT).where(_SLOT.c.id == slot.id, free)
        values = {"booked": _SLOT.c.booked + 1, **more}
        if db.execute(taken.values(values).returning(_SLOT.c.id)).one_or_none() is not None:
            return pool
    raise SlotFull


def hold_place(
    db: Session, *, person_id: UUID, slot: Slot, pool: str, programme_id: UUID, dose_number: int,
    source: str, now: datetime,
) -> Appointment:  # fmt: skip
    """Write the appointment that holds a place just taken; the database judges it.

    Raises:
        AlreadyBooked: The person has an appointment for this dose.
        TimesOverlap: The person has another appointment at that time.
    """
    row = {
        "id": new_id(), "recorded_at": now, "person_id": person_id, "slot_id": slot.id,
        "starts_at": slot.starts_at, "ends_at": slot.ends_at, "programme_id": programme_id,
        "dose_number": dose_number, "state": "booked", "source": source, "pool": pool,
    }  # fmt: skip
    for attempt in range(1, _TRIES + 1):
        try:
            with db.begin_nested():
                db.execute(insert(_APPOINTMENT).values(reference=new_reference(), **row))
            break
        except IntegrityError as error:
            rule = broken_rule(error)
            if rule in _REFUSALS:
                raise _REFUSALS[rule] from None
            if rule != "uq_appointment_reference" or attempt == _TRIES:
                raise
    return db.get_one(Appointment, row["id"])


def give_back(db: Session, appointment: Appointment, state: str) -> None:
    """End an active appointment and free its place, in the pool it was taken from.

    Raises:
        WrongState: It is not active any more.
    """
    change_state(db, appointment, state, before=ACTIVE)
    freed = ["booked"] + ([f"booked_{appointment.pool}"] if appointment.pool in KEPT else [])
    free = update(_SLOT).where(_SLOT.c.id == appointment.slot_id)
    db.execute(free.values({name: _SLOT.c[name] - 1 for name in freed}))


def change_state(
    db: Session, appointment: Appointment, state: str, *, before: Collection[str]
) -> None:
    """Move an appointment on, by a single statement that says from where.

    Raises:
        WrongState: It is in none of the states `before`.
    """
    moved = (
        update(_APPOINTMENT)
        .where(_APPOINTMENT.c.id == appointment.id, _APPOINTMENT.c.state.in_(before))
        .values(state=state, held_until=None)
        .returning(_APPOINTMENT.c.id)
    )
    if db.execute(moved).one_or_none() is None:
        raise WrongState
    db.refresh(appointment)


def lock(db: Session, slot_ids: Collection[UUID]) -> None:
    """Lock slots, always in the order of their ids, so that nobody waits crosswise."""
    query = select(Slot.id).where(Slot.id.in_(slot_ids)).order_by(Slot.id)
    db.execute(query.with_for_update(key_share=True)).all()


def new_reference() -> str:
    """Return a fresh reference such as ``HC-7K4M-2QXD``, told by nobody and guessed by nobody."""
    return reference.write(secrets.randbelow(reference.BEFORE))
