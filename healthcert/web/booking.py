"""The end of a booking: places are held, everything is checked, confirmed, and in hand.

Places are held when a form is sent, never by looking at a page: by the last answer. Who then
changes one about people keeps them as they are, since it is judged with the booking; for other
places, or after a refusal, a button holds. What was typed and chosen stays whatever happens.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, session, url_for

from healthcert.errors import NotFound, WrongState
from healthcert.models import Appointment
from healthcert.services import limits, parties, scenes
from healthcert.services.parties import Wish
from healthcert.services.people import Details, details_of
from healthcert.web import desk, draft, priority
from healthcert.web.about import known_by, name_of
from healthcert.web.clinic import own_site
from healthcert.web.draft import asked, groups, wanted
from healthcert.web.here import limit, parts
from healthcert.web.in_hand import done_key, to_done
from healthcert.web.moment import now
from healthcert.web.places import Page, at_desk, both, source
from healthcert.web.refused import REFUSED, answered
from healthcert.web.room import refuse_another
from healthcert.web.times import again

# ``id``, ``until``, ``new``, ``first`` person of a party; for what: ``places``, ``mark``
Held = dict[str, Any]


def onward() -> Page:
    """Lead on to what is not told yet, else to the check; the last answer holds the places."""
    number = draft.missing()
    if not draft.read() and done_key() in session:
        return to_done()
    if number:
        return redirect(url_for(".who", **asked()), code=303)
    if request.method == "POST" and draft.read().get("tried") != _places():
        return hold()
    return redirect(url_for(".check", **asked()), code=303)


@both("/hold", "GET", "POST")
def hold() -> Page:
    """Hold the places where they are not held; a nurse may say why out of turn."""
    if request.method != "POST" or draft.missing():
        return onward()
    if at_desk() and "reason" in request.form:
        draft.keep(exception=request.form["reason"][:40])
    draft.keep(tried=_places())
    try:
        if (_until() or now()) <= now():
            _take(anew=True)
    except REFUSED as refusal:
        return answered(refusal)
    return redirect(url_for(".check", **asked()), code=303)


@both("/check")
def check(*, is_changed: bool = False) -> Page:
    """Show everything once more before it is booked, and how long its places are held."""
    if draft.missing():
        return onward()
    turns = {number: turn for turn, group in enumerate(groups()) for number in group}
    places: dict[tuple[str, int, UUID], tuple[int, scenes.Place, list[int]]] = {}
    with parts().doors.reading() as db:
        for at, one in enumerate(wanted()):
            key = "slot" if at < len(turns) else "second", turns[one.number], one.slot_id
            if key not in places:
                places[key] = one.dose, scenes.place_of(db, one.slot_id), []
            places[key][2].append(one.number)
        told = [priority.shown_of(db, one) for one in draft.people()]
    page = render_template(
        "booking/check.html", places=places, asked=asked(), now=now(), again=again,
        told=told, until=_until(), shown=_shown(), is_changed=is_changed,
    )  # fmt: skip
    return page, 409 if is_changed else 200


@both("/check", "POST")
def book() -> Page:
    """Book what is held; where the hold ran out, its places are taken again if they are free."""
    if draft.missing():
        return onward()
    if request.form.get("shown", _shown()) != _shown():  # by another window of theirs
        return check(is_changed=True)
    try:
        held = _take()
        made, told = parts().doors.run(lambda db: _confirmed(db, held))
    except REFUSED as refusal:
        before = draft.read().get("held")
        draft.keep(held=before and before | {"mark": None})  # it fits no more: to be held anew
        return answered(refusal)
    booked = [
        {"reference": one.reference, "slot": str(one.slot_id), "dose": one.dose_number,
         "id": str(one.id), "name": name_of(told[chosen.number])}
        for one, chosen in zip(made, wanted(), strict=True)
    ]  # fmt: skip
    session[done_key()] = {"told": any(one.is_reached for one in told), "made": booked}
    draft.forget()
    return to_done()


def _take(*, anew: bool = False) -> Held:
    """Return what is held for the draft as it stands, holding it first where it is not, or `anew`.

    Raises:
        AnothersTicket: The waiting room let in nobody of these.
        SlotFull, TimesOverlap, AlreadyBooked, NotEligible: With the number of the wish.
    """
    told = draft.read()
    before: Held | None = told.get("held")
    mark = [told["people"], told.get("exception"), source(), _places()]
    if before and before["mark"] == mark and "first" in before and not anew:
        return before
    first = draft.people()[0]
    limit("book", first.get("id") or known_by(draft.details_of(None, first)))
    held = parts().doors.run(lambda db: _hold(db, before, told.get("exception", "")))
    held |= {"places": _places(), "mark": mark}
    draft.keep(held=held)
    return held


def _hold(db: Any, before: Held | None, exception: str) -> Held:  # noqa: ANN401 - views know no SQL
    told, begun = draft.people(), now()
    new: list[str] = before["new"] if before else []
    everybody = [
        draft.person_of(db, one, (mine, before["id"]) if before and mine else None)
        for one, mine in zip(told, new + [""] * len(told), strict=False)
    ]
    known = [details_of(parts().vault, person) for person in everybody]
    refuse_another(known)
    actor = desk.who_books(everybody[0].id)
    if before:
        with suppress(NotFound, WrongState):  # it was booked, or let go
            parties.let_go(db, party_id=UUID(before["id"]), actor=actor, now=now())
    answers = [priority.of_wish(db, one) for one in told]
    ids = [(str(each.id), each.recorded_at >= begun) for each in everybody]
    new = [each if is_new or each in new else "" for each, is_new in ids]
    typed = ["typed" in one and not mine for one, mine in zip(told, new, strict=True)]
    wishes = [Wish(everybody[n], slot, dose, answers[n], typed[n]) for n, slot, dose in wanted()]
    made = parties.hold(
        db, vault=parts().vault, wishes=wishes, source=source(), actor=actor, now=now(),
        exception_reason=exception, site_id=own_site() if at_desk() else None,
    )  # fmt: skip
    until, first = made.until.isoformat(), str(everybody[0].id)
    return {"id": str(made.id), "until": until, "new": new, "first": first}


def _confirmed(db: Any, held: Held) -> tuple[Sequence[Appointment], list[Details]]:  # noqa: ANN401
    made = parties.confirm(
        db, vault=parts().vault, party_id=UUID(held["id"]), now=now(),
        actor=desk.who_books(UUID(held["first"])), site_id=own_site() if at_desk() else None,
        typed={at for at, one in enumerate(wanted()) if draft.is_strange(held, one.number)},
    )  # fmt: skip
    if at_desk():
        desk.arrived(db, made)
    return made, [draft.details_of(db, one) for one in draft.people()]


def _shown() -> str:
    """Return a mark of all that the check shows."""
    return limits.key_of(parts().pepper, repr([draft.read()["people"], _places()])).hex()


def _until() -> datetime | None:
    """Return the end of the hold of exactly these places, which may be over; None for no hold."""
    held: Held = draft.read().get("held") or {"places": None}
    return datetime.fromisoformat(held["until"]) if held["places"] == _places() else None


def _places() -> list[list[Any]]:
    """Return the places that are wanted as a session keeps them."""
    return [[one.number, one.slot_id.hex, one.dose] for one in wanted()]
