"""Several people, or several doses, booked together: all of them or none.

First their places are held for some minutes, so that what is looked at is theirs; then they are
confirmed. What is held too long goes to whoever comes, and may be confirmed still while there is
room. People are locked first, then appointments, then slots, each in the order of their ids.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select, text, update
from sqlalchemy.orm import Session

from healthcert.errors import (
    AlreadyBooked,
    BadInput,
    HoldExpired,
    NotFound,
    Refusal,
    SlotFull,
    TimesOverlap,
    WrongState,
)
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Base, Person, as_read, new_id
from healthcert.models.straight import Straight
from healthcert.services import (
    audit,
    booking,
    eligibility,
    people,
    places,
    replanning,
    scenes,
    waits,
)

HOLD = timedelta(minutes=10)
MOST_PEOPLE, MOST_PLACES = 8, 16
_UNCONFIRMED = ("held", "expired")
_APPOINTMENT, _SLOT, _WAIT = (
    Base.metadata.tables[name] for name in ("appointment", "slot", "wait_entry")
)
_NEXT = _APPOINTMENT.alias("later")
_OF_PARTY = _APPOINTMENT.c.party_id == bindparam("party")
_PERSONS = Straight(people.locking(select(_APPOINTMENT.c.person_id).where(_OF_PARTY)))
# What else goes on beside an appointment, which is to follow from it.
_WAITS = (
    select(_WAIT.c.id)
    .where(text("wait_entry.state IN ('waiting', 'offered')"))  # as its index says
    .where(_WAIT.c.person_id == _APPOINTMENT.c.person_id)
    .where(_WAIT.c.programme_id == _APPOINTMENT.c.programme_id)
    .correlate(_APPOINTMENT)
    .scalar_subquery()
)
_LATER = (
    select(literal_column("1"))
    .where(text("later.state IN ('booked', 'held')"))
    .where(_NEXT.c.person_id == _APPOINTMENT.c.person_id)
    .where(_NEXT.c.programme_id == _APPOINTMENT.c.programme_id)
    .where(_NEXT.c.dose_number > _APPOINTMENT.c.dose_number)
    .where(_NEXT.c.party_id.is_distinct_from(_APPOINTMENT.c.party_id))
    .correlate(_APPOINTMENT)
    .exists()
)
_ROWS = Straight(
    scenes.PLACES.add_columns(_WAITS, _LATER, *_APPOINTMENT.c)
    .join(_APPOINTMENT, _APPOINTMENT.c.slot_id == _SLOT.c.id)
    .where(_OF_PARTY)
    .order_by(_APPOINTMENT.c.id)
    .with_for_update(of=_APPOINTMENT, key_share=True)
)


class _More(NamedTuple):
    """What goes on beside an appointment, which is to follow from it."""

    wait_id: UUID | None  # the wait for a place in the same programme
    is_followed: bool  # whether a later dose was booked before


class Wish(NamedTuple):
    """A place that somebody wishes for, for one dose."""

    person: Person
    slot_id: UUID
    dose_number: int
    told: eligibility.Told | None = None  # what a phase asks; None for what was told last
    typed: bool = False  # by who shows no more than that they know the details of who is on record


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
    is judged by what was told with the one before. Who only `typed` somebody's details is answered
    with one word, `AlreadyBooked`, where only the record knows why not.

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
    said: dict[tuple[UUID, UUID], eligibility.Told | None] = {}
    for number, wish in enumerate(wishes):
        with _of_wish(number, is_typed=wish.typed):
            one = wish.person.id, found[number].place.session.programme_id, wish.dose_number
            if one in named:
                raise AlreadyBooked
            told = wish.told
            if one[:2] in said:  # something was decided since
                told = told or said[one[:2]]
                found[number] = scenes.scene_of(db, vault, everybody[one[0]], wish.slot_id)
            said[one[:2]] = told
            named.add(one)
            booking.refuse_unfit(
                db, vault=vault, person=everybody[one[0]], scene=found[number], actor=actor,
                now=now, dose_number=wish.dose_number, exception_reason=exception_reason, told=told,
                typed=wish.typed, planned=_planned(wish, found[number].place, wishes, found),
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
        own = _clashes(wish, place, wishes, found)
        with _of_wish(number, is_typed=wish.typed and not own):
            made[number] = booking.placed(
                db, place.slot, written, decided, person_id=wish.person.id, source=source,
                programme_id=place.session.programme_id, dose_number=wish.dose_number,
                hold=places.Hold(ids[number], party_id, now + HOLD), now=now,
                exception_reason=exception_reason,
            )  # fmt: skip
    return Party(party_id, now + HOLD, [made[number] for number in range(len(wishes))])


def confirm(
    db: Session, *, vault: Vault, party_id: UUID, actor: audit.Actor, now: datetime,
    site_id: UUID | None = None, typed: Collection[int] = (),
) -> Sequence[Appointment]:  # fmt: skip
    """Book what a party holds, and tell everybody; a second time it gives the first answer.

    A hold that is over takes a place again, and is judged anew; `typed` are the numbers of wishes
    that were of who only typed somebody's details. Whoever else has a place now waits for none. The
    next dose, booked before, moves where it would come too soon after this one.

    Raises:
        NotFound: No such party (at the site, where one is given), or a session is no longer open
            for booking.
        WrongState: It was let go.
        HoldExpired: A hold is over and others have its place, or its slot has begun.
        Refusal: What else `booking.take` raises, of a hold that is over; nothing is booked then.
            `which` is the number of the appointment in the party.
    """
    persons, rows, found, more = _locked(db, party_id, site_id)
    open_ones = [(number, row) for number, row in enumerate(rows) if row.state in _UNCONFIRMED]
    if not open_ones and all(row.state == "cancelled" for row in rows):
        raise WrongState
    _refuse_over(open_ones, found, now)
    still = [row for _, row in open_ones if row.state == "held"]
    again = [(number, row) for number, row in open_ones if row.state == "expired"]
    for number, row in sorted(again, key=lambda each: each[1].slot_id):
        with _of_wish(number, is_typed=number in typed):
            _take_again(db, vault, persons[row.person_id], row, found[number], actor, now)
    told: booking.Written = []
    noted: booking.Written = []
    for number, row in open_ones:
        booking.tell(db, vault, persons[row.person_id], "booked", row, found[number], now, told)
        booking.note(db, actor, "appointment_booked", row, now, noted)
    places.keep(db, still, message=told, audit_event=noted)
    for number, row in open_ones:
        wait_id, is_followed = more[number]
        if wait_id and number not in typed:
            waits.end(db, vault=vault, entry_id=wait_id, now=now)
        if is_followed:
            replanning.take_along(db, vault=vault, first=row, place=found[number], now=now)
    return rows


def let_go(
    db: Session, *, party_id: UUID, actor: audit.Actor, now: datetime, site_id: UUID | None = None
) -> None:
    """Give back what a party holds.

    Raises:
        NotFound: No such party (at the site, where one is given).
        WrongState: It holds nothing any more: confirmed, or let go before.
    """
    _, rows, *_ = _locked(db, party_id, site_id)
    open_ones = [row for row in rows if row.state in _UNCONFIRMED]
    if not open_ones:
        raise WrongState
    for row in sorted(open_ones, key=lambda each: each.slot_id):
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


def _clashes(
    wish: Wish, place: scenes.Place, wishes: Sequence[Wish], found: Sequence[scenes.Scene]
) -> bool:
    """Say whether the same person is to have another of these places at that time."""
    return any(
        other is not wish
        and other.person.id == wish.person.id
        and its.slot.starts_at < place.slot.ends_at
        and its.slot.ends_at > place.slot.starts_at
        for other, (its, *_) in zip(wishes, found, strict=True)
    )


def _take_again(
    db: Session, vault: Vault, person: Person, row: Appointment, place: scenes.Place,
    actor: audit.Actor, now: datetime,
) -> None:  # fmt: skip
    booking.refuse_unfit(
        db, vault=vault, person=person, scene=scenes.scene_of(db, vault, person, row.slot_id),
        dose_number=row.dose_number, actor=actor, now=now, again=row,
    )  # fmt: skip
    pools = places.pools_of(row.source, row.dose_number)
    try:
        pool = places.take_place(db, place.slot, pools, now=now)
    except SlotFull:
        raise HoldExpired(row.slot_id) from None
    again = update(Appointment).where(Appointment.id == row.id)
    with places.judged():
        db.execute(again.values(state="booked", pool=pool))


def _locked(
    db: Session, party_id: UUID, site_id: UUID | None
) -> tuple[dict[UUID, Person], list[Appointment], list[scenes.Place], list[_More]]:
    """Return a party's people, appointments, places, and more; nobody else moves them on."""
    persons = people.read(db, _PERSONS, party=party_id)
    at, rows, more = list[scenes.Place](), list[Appointment](), list[_More]()
    for values in map(iter, _ROWS.rows(db, party=party_id)):
        at.append(scenes.place_in(values))
        more.append(_More(next(values), next(values)))
        rows.append(as_read(db, Appointment, dict(zip(_APPOINTMENT.c.keys(), values, strict=True))))
    if not rows:
        raise NotFound
    _refuse_elsewhere(site_id, at)
    return persons, rows, at, more


def _refuse_over(
    rows: Sequence[tuple[int, Appointment]], found: Sequence[scenes.Place], now: datetime
) -> None:
    for number, row in rows:
        with _of_wish(number):
            if found[number].session.state not in scenes.BOOKABLE:
                raise NotFound
            if row.starts_at <= now:
                raise HoldExpired(row.slot_id)


def _refuse_elsewhere(site_id: UUID | None, found: Sequence[scenes.Place]) -> None:
    if site_id is not None and {place.session.site_id for place in found} - {site_id}:
        raise NotFound


@contextmanager
def _of_wish(number: int, *, is_typed: bool = False) -> Iterator[None]:
    """Note in a refusal which of several wishes it is about.

    What only the record knows is no word for who typed somebody's details.
    """
    try:
        yield
    except Refusal as refusal:
        hidden = is_typed and isinstance(refusal, (booking.NotDue, TimesOverlap))
        told = AlreadyBooked() if hidden else refusal
        told.which = number
        raise told from None
