"""The end of a booking: places are held, everything is checked, confirmed, and in hand.

What was typed and chosen stays whatever happens: a hold that ran out is taken again, and where
that cannot be, the next best times are offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, session, url_for

from healthcert.errors import AlreadyBooked, NotFound, WrongState
from healthcert.models import Appointment, Person
from healthcert.services import booking, parties
from healthcert.services.audit import Actor
from healthcert.services.booking import NotDue
from healthcert.services.parties import Wish
from healthcert.services.people import details_of
from healthcert.services.tidying import tidy_identity, tidy_phone
from healthcert.web import desk, draft, family, party  # noqa: F401 - its views
from healthcert.web.about import told_back
from healthcert.web.guards import visitor
from healthcert.web.here import limit, parts
from healthcert.web.in_hand import done_key
from healthcert.web.moment import now
from healthcert.web.places import Page, at_desk, both, bp, counter, source
from healthcert.web.refused import REFUSED, answered
from healthcert.web.room import refuse_another
from healthcert.web.times import LATER, asked, chosen, dose_asked

DOORS = (bp, counter)  # of the whole way, with the views of all its modules


@both("/check")
def check() -> Page:
    """Hold the places, and show everything once more before it is booked."""
    if draft.missing():
        return draft.onward()
    try:
        held = _held()
    except REFUSED as refusal:
        return answered(refusal)
    with parts().doors.reading() as db:
        places = [(dose, booking.place_of(db, slots[0])) for dose, slots in _doses()]
    told = [
        (held["people"].get(one.get("id")), "typed" in one and told_back(draft.details_of(one)))
        for one in draft.people()
    ]
    return render_template(
        "booking/check.html", places=places, told=told, asked=asked(), now=now(),
        until=datetime.fromisoformat(held["until"]),
    )  # fmt: skip


@both("/check", "POST")
def book() -> Page:
    """Book what is held; where the hold ran out, its places are taken again if they are free."""
    if not draft.read():
        return redirect(url_for(".done"), code=303)
    if draft.missing():
        return draft.onward()
    try:
        held = _held()
        made = parts().doors.run(lambda db: _confirmed(db, held))
    except REFUSED as refusal:
        before = draft.read().get("held")
        draft.keep(held=before and before | {"mark": None})  # it fits no more: to be held anew
        return answered(refusal)
    booked = [
        {"reference": one.reference, "slot": str(one.slot_id), "dose": one.dose_number,
         "id": str(one.id), "name": held["people"][str(one.person_id)]["name"]}
        for one in made
    ]  # fmt: skip
    is_told = any(one["reached"] for one in held["people"].values())
    session[done_key()] = {"told": is_told, "made": booked}
    draft.forget()
    return redirect(url_for(".done"), code=303)


def _held() -> dict[str, Any]:
    """Return what is held for the draft as it stands, holding it first where that is not so.

    Raises:
        SlotFull, TimesOverlap, AlreadyBooked, NotEligible: With the number of the wish.
    """
    told = draft.read()
    before: dict[str, Any] | None = told.get("held")
    mark = [told["people"], told.get("exception"), asked()]
    if before and before["mark"] == mark:
        return before
    limit("book", _who(draft.people()[0]))
    held = parts().doors.run(lambda db: _hold(db, before, told.get("exception", "")))
    draft.keep(held=held | {"mark": mark})
    return held


def _hold(db: Any, before: dict[str, Any] | None, exception: str) -> dict[str, Any]:  # noqa: ANN401
    told, doses = draft.people(), _doses()
    if {len(slots) for _dose, slots in doses} != {len(told)}:
        raise NotFound
    everybody = [draft.person_of(db, one) for one in told]
    known = (details_of(parts().vault, person) for person in everybody)
    refuse_another(each for one in known for each in (one.identity.value, one.phone, one.mail))
    actor = _actor(everybody[0].id)
    if before:
        with suppress(NotFound, WrongState):  # it was booked, or let go
            parties.let_go(db, party_id=UUID(before["id"]), actor=actor, now=now())
    desk.own_alone(db, {slot_id for _dose, slots in doses for slot_id in slots})
    wishes = [
        Wish(person, slot_id, dose)
        for dose, slots in doses
        for person, slot_id in zip(everybody, slots, strict=True)
    ]
    try:
        made = parties.hold(
            db, vault=parts().vault, wishes=wishes, source=source(), actor=actor, now=now(),
            exception_reason=exception,
        )  # fmt: skip
    except NotDue as refusal:
        if "id" in told[refusal.which % len(told)]:
            raise
        other = AlreadyBooked()  # no word of a record to who only typed
        other.which = refusal.which
        raise other from None
    people = {str(each.id): _shown(one, each) for one, each in zip(told, everybody, strict=True)}
    return {"id": str(made.id), "until": made.until.isoformat(), "people": people}


def _shown(one: draft.Entry, person: Person) -> dict[str, Any]:
    """Return how somebody is called here: as typed, and by the record only to who may see it."""
    each = details_of(parts().vault, person) if "id" in one else draft.details_of(one)
    name = f"{each.given} {each.family}".strip()
    return {"name": name, "birth": each.birth_date, "reached": bool(each.phone or each.mail)}


def _confirmed(db: Any, held: dict[str, Any]) -> Sequence[Appointment]:  # noqa: ANN401
    first = UUID(next(iter(held["people"])))
    made = parties.confirm(
        db, vault=parts().vault, party_id=UUID(held["id"]), actor=_actor(first), now=now()
    )  # fmt: skip
    if source() == "walk_in":
        desk.arrived(db, made)
    return made


def _doses() -> list[tuple[int, tuple[UUID, ...]]]:
    """Return which doses are booked along, each with a slot for each person."""
    dose, later = dose_asked(), request.args.get("second", LATER) == LATER
    return [(dose, chosen("slot"))] + ([] if later else [(dose + 1, chosen("second"))])


def _actor(first: UUID) -> Actor:
    """Return who books: staff, the citizen signed in, or a stranger as whom they tell of first."""
    if at_desk():
        return Actor("staff", visitor().id)
    return family.actor() if draft.citizen() else Actor("citizen", first)


def _who(one: draft.Entry) -> str:
    """Return what tells one person who books from another, in one spelling."""
    if "id" in one:
        return str(one["id"])
    told = draft.details_of(one)
    return tidy_identity(told.identity).value or tidy_phone(told.phone) or str(told.mail)
