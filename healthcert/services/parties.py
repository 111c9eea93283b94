"""Several people, or several doses, booked together: all of them or none.

First their places are held for some minutes, so that what is looked at is theirs; then they are
confirmed. What is held too long goes to whoever comes, and may be confirmed still while there is
room. People are locked first, then appointments, then slots, each in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, BadInput, NotFound, Refusal, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Person, new_id
from healthcert.services import audit, booking, people, places
from healthcert.services.history import Planned

HOLD = timedelta(minutes=10)
MOST_PEOPLE, MOST_PLACES = 8, 16
_UNCONFIRMED = ("held", "expired")


class Wish(NamedTuple):
    """A place that somebody wishes for, for one dose."""

    person: Person
    slot_id: UUID
    dose_number: int


@dataclass(frozen=True, slots=True)
class Party:
    """What is held together, in the order it was wished for."""

    id: UUID
    until: datetime  # from then on the places may go to others
    appointments: Sequence[Appointment]  # their states say what became of each


def hold(
    db: Session, *, vault: Vault, wishes: Sequence[Wish], source: str, actor: audit.Actor,
    now: datetime, exception_reason: str = "",
) -> Party:  # fmt: skip
    """Hold every place that is wished for, or none.

    A dose of the product that is held for an earlier dose too is judged as if that one had been
    given at its appointment.

    Raises:
        BadInput: ``people`` are none, or more than `MOST_PEOPLE` or `MOST_PLACES`.
        Refusal: What `booking.take` raises; `which` is the number of the wish.
    """
    persons = {wish.person.id for wish in wishes}
    if not wishes or len(persons) > MOST_PEOPLE or len(wishes) > MOST_PLACES:
        raise BadInput({"people": "too_many" if wishes else "missing"})
    people.all_locked(db, persons)
    found, named = [], set()
    for number, wish in enumerate(wishes):
        with _of_wish(number):
            found.append(booking.place_of(db, wish.slot_id))
    for number, (wish, place) in enumerate(zip(wishes, found, strict=True)):
        with _of_wish(number):
            one = wish.person.id, place.session.programme_id, wish.dose_number
            if one in named:
                raise AlreadyBooked
            named.add(one)
            booking.refuse_unfit(
                db, vault=vault, person=wish.person, place=place, dose_number=wish.dose_number,
                actor=actor, now=now, exception_reason=exception_reason,
                planned=_planned(wish, place, wishes, found),
            )  # fmt: skip
    party_id, ids = new_id(), sorted(new_id() for _ in wishes)
    for number in sorted(range(len(wishes)), key=lambda each: wishes[each].slot_id):
        wish, place = wishes[number], found[number]
        with _of_wish(number):
            pools = places.pools_of(source, wish.dose_number)
            appointment = places.hold_place(
                db, person_id=wish.person.id, slot=place.slot,
                pool=places.take_place(db, place.slot, pools, now=now), source=source,
                programme_id=place.session.programme_id, dose_number=wish.dose_number,
                hold=places.Hold(ids[number], party_id, now + HOLD), now=now,
                exception_reason=exception_reason,
            )  # fmt: skip
        booking.note(db, actor, "appointment_held", appointment, now)
    return held(db, party_id=party_id)


def confirm(
    db: Session, *, vault: Vault, party_id: UUID, actor: audit.Actor, now: datetime
) -> Sequence[Appointment]:
    """Book what a party holds, and tell everybody; a second time it gives the first answer.

    A hold that is over takes a place again, and is judged anew.

    Raises:
        NotFound: No such party, or a session is no longer open for booking.
        WrongState: It was let go, or a slot has begun.
        Refusal: What `booking.take` raises, of a hold that is over; nothing is booked then.
            `which` is the number of the appointment in the party.
    """
    persons, rows = _locked(db, party_id)
    waiting = [(number, row) for number, row in enumerate(rows) if row.state in _UNCONFIRMED]
    if not waiting and all(row.state == "cancelled" for row in rows):
        raise WrongState
    found = {}
    for number, row in waiting:
        with _of_wish(number):
            found[number] = booking.place_of(db, row.slot_id)
            if row.starts_at <= now:
                raise WrongState
    still = [row.id for _, row in waiting if row.state == "held"]
    kept = update(Appointment).where(Appointment.id.in_(still))
    db.execute(kept.values(state="booked", held_until=None))
    again = [(number, row) for number, row in waiting if row.state == "expired"]
    for number, row in sorted(again, key=lambda each: each[1].slot_id):
        with _of_wish(number):
            _take_again(db, vault, persons[row.person_id], row, found[number], actor, now)
    for number, row in waiting:
        db.refresh(row)
        booking.tell(db, vault, persons[row.person_id], "booked", row, found[number], now)
        booking.note(db, actor, "appointment_booked", row, now)
    return rows


def let_go(db: Session, *, party_id: UUID, actor: audit.Actor, now: datetime) -> None:
    """Give back what a party holds.

    Raises:
        NotFound: No such party.
        WrongState: It holds nothing any more: confirmed, or let go before.
    """
    _, rows = _locked(db, party_id)
    waiting = [row for row in rows if row.state in _UNCONFIRMED]
    if not waiting:
        raise WrongState
    for row in sorted(waiting, key=lambda each: each.slot_id):
        if row.state == "held":
            places.give_back(db, row, "cancelled")
        else:
            places.change_state(db, row, "cancelled", before=("expired",))
        booking.note(db, actor, "hold_let_go", row, now)


def held(db: Session, *, party_id: UUID) -> Party:
    """Return a party as it stands.

    Raises:
        NotFound: No such party.
    """
    rows = _rows(db, party_id)
    return Party(party_id, rows[0].recorded_at + HOLD, rows)


def _planned(
    wish: Wish, place: booking.Place, wishes: Sequence[Wish], found: Sequence[booking.Place]
) -> list[Planned]:
    """Return what is wished for together with a wish, for the same person and programme."""
    return [
        Planned(other.dose_number, its.session.day, its.product.id)
        for other, its in zip(wishes, found, strict=True)
        if other.person.id == wish.person.id
        and its.session.programme_id == place.session.programme_id
    ]


def _take_again(
    db: Session, vault: Vault, person: Person, row: Appointment, place: booking.Place,
    actor: audit.Actor, now: datetime,
) -> None:  # fmt: skip
    booking.refuse_unfit(
        db, vault=vault, person=person, place=place, dose_number=row.dose_number, actor=actor,
        now=now, again=row,
    )  # fmt: skip
    pools = places.pools_of(row.source, row.dose_number)
    pool = places.take_place(db, place.slot, pools, now=now)
    again = update(Appointment).where(Appointment.id == row.id)
    with places.judged():
        db.execute(again.values(state="booked", pool=pool))


def _locked(db: Session, party_id: UUID) -> tuple[dict[UUID, Person], Sequence[Appointment]]:
    """Return people and appointments of a party, so that nobody else moves them on."""
    persons = people.all_locked(db, {row.person_id for row in _rows(db, party_id)})
    return persons, _rows(db, party_id, lock=True)


def _rows(db: Session, party_id: UUID, *, lock: bool = False) -> Sequence[Appointment]:
    query = select(Appointment).filter_by(party_id=party_id).order_by(Appointment.id)
    query = query.with_for_update(key_share=True) if lock else query
    rows = db.scalars(query.execution_options(populate_existing=True)).all()
    if not rows:
        raise NotFound
    return rows


@contextmanager
def _of_wish(number: int) -> Iterator[None]:
    """Note in a refusal which of several wishes it is about."""
    try:
        yield
    except Refusal as refusal:
        refusal.which = number
        raise
