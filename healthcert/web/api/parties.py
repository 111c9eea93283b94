"""Booking together: places are held for some minutes, then confirmed, all of them or none.

A party belongs to whoever held it: its key is told with it, and asked for with what follows.
"""

import base64
import hmac
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from healthcert.errors import AnothersTicket, HoldExpired, NotFound, NotSignedIn, Refusal
from healthcert.models import Appointment
from healthcert.services import booking, enrolment, parties, people, proxies, scenes, search
from healthcert.services.people import Details
from healthcert.web.about import known_by
from healthcert.web.api.anybody import Dose, Found
from healthcert.web.api.asker import On
from healthcert.web.api.citizen import CALENDAR
from healthcert.web.api.deeds import deed, post, raised
from healthcert.web.api.programmes import Answers
from healthcert.web.api.shapes import File, Moment, Shape, many, of, sent_as, taken
from healthcert.web.guards import program, visitor
from healthcert.web.here import parts
from healthcert.web.in_hand import calendar
from healthcert.web.moment import now
from healthcert.web.room import refuse_another

REFUSALS = (*raised(booking.take), AnothersTicket)
LATE = (*REFUSALS, HoldExpired)  # what is confirmed may be over
_Whose = Callable[[On, UUID | None], UUID]


class Wish(Shape):
    """A place for one dose of somebody: of whom one acts for, or of whom all is told."""

    slot_id: UUID
    dose_number: Dose = 1
    person_id: UUID | None = None
    details: sent_as(Details) | None = None  # type: ignore[valid-type]
    told: Answers | None = None


class Wishes(Shape):
    """All that is to be held, or nothing of it."""

    wishes: Annotated[list[Wish], Field(min_length=1, max_length=parties.MOST_PLACES)]


class Key(Shape):
    """What was told with the party."""

    key: str


Place = of("Place", "One of the places.", Appointment,
           "id reference slot_id dose_number starts_at state")  # fmt: skip
Party = of("Party", "What is held together, in the order of the wishes, and until when.",
           id=UUID, key=str, until=Moment, appointments=many(Place))  # fmt: skip
Booked = of("Booked", "What was booked.", appointments=many(Place))

NEXT: dict[str, Any] = {
    "changes": False, "answer": Found, "read": lambda found: {"items": [found] if found else []},
}  # fmt: skip
post("/slots/second", search.second_dose, name="second", fixed={"source": "web"}, **NEXT)


def whom(body: Wishes) -> tuple[str, str]:
    """Return the limit of bookings, for the first who is told of; a token has one of its own."""
    first, who = body.wishes[0], program()
    if first.details:
        return "book", known_by(taken(first.details))
    return "book", str(first.person_id or (who and who.person_id))


@deed("POST", "/parties", REFUSALS, status=201, spends=whom, gives=Party)
def hold(on: On, body: Wishes) -> Shape:
    """Hold places for up to eight people; a dose and the next may go together."""
    return held(on, body, _theirs, source="web")


def held(on: On, body: Wishes, whose: _Whose, **more: Any) -> Shape:  # noqa: ANN401 - of `hold`
    """Return what is held; `whose` admits a person who is on record, or raises `NotFound`."""
    wishes = [_wish(on, body, number, whose) for number in range(len(body.wishes))]
    refuse_another(people.details_of(parts().vault, each.person) for each in wishes)
    held = parties.hold(on.db, wishes=wishes, actor=on.actor, **on.kit, **more)
    told = {"id": held.id, "key": _key(held.id), "until": held.until}
    return Party.model_validate(told | {"appointments": held.appointments})


@deed("POST", "/parties/<uuid:party_id>/confirm", LATE, gives=Booked)
def confirm(on: On, party_id: UUID, body: Key) -> Shape:
    """Book what is held; where the time was over, places are taken again, or none."""
    _refuse_others(party_id, body)
    typed = range(parties.MOST_PLACES)  # a key says nothing of who they are
    found = parties.confirm(on.db, party_id=party_id, actor=on.actor, typed=typed, **on.kit)
    return Booked.model_validate({"appointments": found})


@deed("POST", "/parties/<uuid:party_id>/let-go", raised(parties.let_go), status=204)
def let_go(on: On, party_id: UUID, body: Key) -> None:
    """Give back what is held."""
    _refuse_others(party_id, body)
    parties.let_go(on.db, party_id=party_id, actor=on.actor, now=now())


@deed("POST", "/parties/<uuid:party_id>/calendar", changes=False, gives=CALENDAR)
def calendar_of_party(on: On, party_id: UUID, body: Key) -> File:
    """Give what a party has booked for a calendar; it names no vaccine."""
    _refuse_others(party_id, body)
    made = parties.held(on.db, party_id=party_id).appointments
    booked = [(one.reference, one.slot_id) for one in made if one.state == "booked"]
    at = [(number, scenes.place_of(on.db, slot, states=None)) for number, slot in booked]
    return CALENDAR(calendar(at).get_data())


def _wish(on: On, body: Wishes, number: int, whose: _Whose) -> parties.Wish:
    """Return one of the wishes as the service takes it; a refusal says which one it is about."""
    wish = body.wishes[number]
    said = wish.told
    try:
        if wish.details is not None:
            person = enrolment.enrol(on.db, details=taken(wish.details), **on.kit)
            said = said or {}  # what was told last is no word for who only tells of somebody
        else:
            person = people.locked(on.db, whose(on, wish.person_id))
    except Refusal as refusal:
        refusal.which = number
        raise
    is_typed = wish.details is not None
    return parties.Wish(person, wish.slot_id, wish.dose_number, said, is_typed)


def _theirs(on: On, told: UUID | None) -> UUID:
    if program() is None:
        raise NotSignedIn
    whom = told or visitor().person_id or UUID(int=0)
    return proxies.admit(on.db, actor=on.actor, person_id=whom, scope="book", now=now())


def _key(party_id: UUID) -> str:
    made = hmac.digest(parts().pepper, b"party\x00" + party_id.bytes, "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _refuse_others(party_id: UUID, body: Key) -> None:
    if not hmac.compare_digest(_key(party_id).encode(), body.key.encode()):
        raise NotFound
