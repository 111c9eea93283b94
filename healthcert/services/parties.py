"""Several people, or several doses, booked together: all of them or none.

First their places are held for some minutes, so that what is looked at is theirs; then they are
confirmed. What is held too long goes to whoever comes, and may be confirmed still while there is
room. People are locked first, then appointments, then slots, each in the order of their ids.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, BadInput, NotFound, Refusal, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Base, Person, as_read, new_id
from healthcert.models.straight import Straight
from healthcert.services import audit, booking, eligibility, people, places, scenes

HOLD = timedelta(minutes=10)
MOST_PEOPLE, MOST_PLACES = 8, 16
_UNCONFIRMED = ("held", "expired")
_APPOINTMENT, _SLOT = (Base.metadata.tables[name] for name in ("appointment", "slot"))
_OF_PARTY = _APPOINTMENT.c.party_id == bindparam("party")
_PERSONS = Straight(people.locking(select(_APPOINTMENT.c.person_id).where(_OF_PARTY)))
_ROWS = Straight(
    scenes.PLACES.add_columns(*_APPOINTMENT.c)
    .join(_APPOINTMENT, _APPOINTMENT.c.slot_id == _SLOT.c.id)
    .where(_OF_PARTY)
    .order_by(_APPOINTMENT.c.id)
    .with_for_update(of=_APPOINTMENT, key_share=True)
)


class Wish(NamedTuple):
    """A place that somebody wishes for, for one dose."""

    person: Person
    slot_id: UUID
    dose_number: int
    told: eligibility.Told | None = None  # what a phase asks; None for what was told last


@dataclass(frozen=True, slots=True)
class Party:
    """What is held together, in the order it was wished for."""

    id: UUID
    until: datetime  # from then on the places may go to others
    appointments: Sequence[Appointment]  # their states say what became of each


def hold(
    db: Session, *, vault: Vault, wishes: Sequence[Wish], source: str, actor: audit.Actor,
    now: datetime, exception_reason: str = "", site_id: UUID | None = None,
) -> Party:  # fmt: skip
    """Hold every place that is wished for, or none; a desk those of its own site alone.

    A dose of the product that is held for an earlier dose too is judged as if that one had been
    given at its appointment. Of several wishes of somebody in a programme, one that tells nothing
    is judged by what was told with the one before.

    Raises:
        NotFound: A place is not of the site, where one is given.
        BadInput: ``people`` are none, or more than `MOST_PEOPLE` or `MOST_PLACES`.
        Refusal: What `booking.take` raises; `which` is the number of the wish.
    """
    persons = {wish.person.id for wish in wishes}
    if not wishes or len(persons) > MOST_PEOPLE or len(wishes) > MOST_PLACES:
        raise BadInput({"people": "too_many" if wishes else "missing"})
    everybody = people.all_read(db, persons)
    found, named = [], set[tuple[UUID, UUID, int]]()
    for number, wish in enumerate(wishes):
        with _of_wish(number):
            found.append(scenes.scene_of(db, vault, everybody[wish.person.id], wish.slot_id))
    _refuse_elsewhere(site_id, [scene.place for scene in found])
    decided: booking.Written = []
    for number, wish in enumerate(wishes):
        with _of_wish(number):
            one = wish.person.id, found[number].place.session.programme_id, wish.dose_number
            if one in named:
                raise AlreadyBooked
            told = wish.told
            if any(each[:2] == one[:2] for each in named):  # something was decided since
                told = told or None
                found[number] = scenes.scene_of(db, vault, everybody[one[0]], wish.slot_id)
            named.add(one)
            booking.refuse_unfit(
                db, vault=vault, person=everybody[one[0]], scene=found[number], actor=actor,
                now=now, dose_number=wish.dose_number, exception_reason=exception_reason, told=told,
                planned=_planned(wish, found[number].place, wishes, found),
                rows=None if len(wishes) > 1 else decided,
            )  # fmt: skip
    party_id, ids = new_id(), sorted(new_id() for _ in wishes)

    def written(appointment: Appointment) -> dict[str, booking.Written]:
        noted: booking.Written = []
        booking.note(db, actor, "appointment_held", appointment, now, noted)
        return {"audit_event": noted}

    made = {}
    for number in sorted(range(len(wishes)), key=lambda each: wishes[each].slot_id):
        wish, place = wishes[number], found[number].place
        with _of_wish(number):
            made[number] = booking.placed(
                db, place.slot, written, decided, person_id=wish.person.id, source=source,
                programme_id=place.session.programme_id, dose_number=wish.dose_number,
                hold=places.Hold(ids[number], party_id, now + HOLD), now=now,
                exception_reason=exception_reason,
            )  # fmt: skip
    return Party(party_id, now + HOLD, [made[number] for number in range(len(wishes))])


def confirm(
    db: Session, *, vault: Vault, party_id: UUID, actor: audit.Actor, now: datetime,
    site_id: UUID | None = None,
) -> Sequence[Appointment]:  # fmt: skip
    """Book what a party holds, and tell everybody; a second time it gives the first answer.

    A hold that is over takes a place again, and is judged anew.

    Raises:
        NotFound: No such party (at the site, where one is given), or a session is no longer open
            for booking.
        WrongState: It was let go, or a slot has begun.
        Refusal: What `booking.take` raises, of a hold that is over; nothing is booked then.
            `which` is the number of the appointment in the party.
    """
    persons, rows, found = _locked(db, party_id, site_id)
    waiting = [(number, row) for number, row in enumerate(rows) if row.state in _UNCONFIRMED]
    if not waiting and all(row.state == "cancelled" for row in rows):
        raise WrongState
    for number, row in waiting:
        with _of_wish(number):
            if found[number].session.state not in scenes.BOOKABLE:
                raise NotFound
            if row.starts_at <= now:
                raise WrongState
    still = [row for _, row in waiting if row.state == "held"]
    again = [(number, row) for number, row in waiting if row.state == "expired"]
    for number, row in sorted(again, key=lambda each: each[1].slot_id):
        with _of_wish(number):
            _take_again(db, vault, persons[row.person_id], row, found[number], actor, now)
    told: booking.Written = []
    noted: booking.Written = []
    for number, row in waiting:
        booking.tell(db, vault, persons[row.person_id], "booked", row, found[number], now, told)
        booking.note(db, actor, "appointment_booked", row, now, noted)
    places.keep(db, still, message=told, audit_event=noted)
    return rows


def let_go(
    db: Session, *, party_id: UUID, actor: audit.Actor, now: datetime, site_id: UUID | None = None
) -> None:
    """Give back what a party holds.

    Raises:
        NotFound: No such party (at the site, where one is given).
        WrongState: It holds nothing any more: confirmed, or let go before.
    """
    _, rows, _ = _locked(db, party_id, site_id)
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
    query = select(Appointment).filter_by(party_id=party_id).order_by(Appointment.id)
    rows = db.scalars(query.execution_options(populate_existing=True)).all()
    if not rows:
        raise NotFound
    return Party(party_id, rows[0].recorded_at + HOLD, rows)


def _planned(
    wish: Wish, place: scenes.Place, wishes: Sequence[Wish], found: Sequence[scenes.Scene]
) -> list[booking.Planned]:
    """Return what is wished for together with a wish, for the same person and programme."""
    return [
        booking.Planned(other.dose_number, its.session.day, its.product.id)
        for other, (its, *_) in zip(wishes, found, strict=True)
        if other.person.id == wish.person.id
        and its.session.programme_id == place.session.programme_id
    ]


def _take_again(
    db: Session, vault: Vault, person: Person, row: Appointment, place: scenes.Place,
    actor: audit.Actor, now: datetime,
) -> None:  # fmt: skip
    booking.refuse_unfit(
        db, vault=vault, person=person, scene=scenes.scene_of(db, vault, person, row.slot_id),
        dose_number=row.dose_number, actor=actor, now=now, again=row,
    )  # fmt: skip
    pools = places.pools_of(row.source, row.dose_number)
    pool = places.take_place(db, place.slot, pools, now=now)
    again = update(Appointment).where(Appointment.id == row.id)
    with places.judged():
        db.execute(again.values(state="booked", pool=pool))


def _locked(
    db: Session, party_id: UUID, site_id: UUID | None
) -> tuple[dict[UUID, Person], list[Appointment], list[scenes.Place]]:
    """Return people, appointments and places of a party, so that nobody else moves them on."""
    persons = people.read(db, _PERSONS, party=party_id)
    at, rows = list[scenes.Place](), list[Appointment]()
    for values in map(iter, _ROWS.rows(db, party=party_id)):
        at.append(scenes.place_in(values))
        rows.append(as_read(db, Appointment, dict(zip(_APPOINTMENT.c.keys(), values, strict=True))))
    if not rows:
        raise NotFound
    _refuse_elsewhere(site_id, at)
    return persons, rows, at


def _refuse_elsewhere(site_id: UUID | None, found: Sequence[scenes.Place]) -> None:
    if site_id is not None and {place.session.site_id for place in found} - {site_id}:
        raise NotFound


@contextmanager
def _of_wish(number: int) -> Iterator[None]:
    """Note in a refusal which of several wishes it is about."""
    try:
        yield
    except Refusal as refusal:
        refusal.which = number
        raise
