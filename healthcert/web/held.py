"""Places held while answers are checked: taken when a form is sent, never by looking at a page.

The last answer holds them. Who then changes one about people keeps them as they are, since it is
judged with the booking; for other places, or after a refusal, a button holds: changes of mind
cost nothing.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import redirect, request, session, url_for

from healthcert.errors import AlreadyBooked, NotFound, WrongState
from healthcert.services import parties
from healthcert.services.audit import Actor
from healthcert.services.booking import NotDue
from healthcert.services.parties import Wish
from healthcert.services.people import details_of
from healthcert.web import desk, draft, family
from healthcert.web.about import known_by
from healthcert.web.chosen import asked, wanted
from healthcert.web.guards import visitor
from healthcert.web.here import limit, parts
from healthcert.web.in_hand import done_key
from healthcert.web.moment import now
from healthcert.web.places import Page, at_desk, both, source
from healthcert.web.refused import REFUSED, answered
from healthcert.web.room import refuse_another

Held = dict[str, Any]  # ``id`` and ``until`` of a party; for what: ``places``, ``mark``


def onward() -> Page:
    """Lead on to what is not told yet, else to the check; the last answer holds the places."""
    number = draft.missing()
    if not draft.read() and done_key() in session:
        return redirect(url_for(".done"), code=303)
    if number:
        return redirect(url_for(".who", number=number, **asked()), code=303)
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
    ends = until()
    try:
        if ends is None or ends <= now():
            take(anew=True)
    except REFUSED as refusal:
        return answered(refusal)
    return redirect(url_for(".check", **asked()), code=303)


def until() -> datetime | None:
    """Return the end of the hold of exactly these places, which may be over; None for no hold."""
    held: Held = draft.read().get("held") or {"places": None}
    return datetime.fromisoformat(held["until"]) if held["places"] == _places() else None


def take(*, anew: bool = False) -> Held:
    """Return what is held for the draft as it stands, holding it first where it is not.

    A hold that is over is taken `anew` only here: else whoever confirms it takes its places again.

    Raises:
        AnothersTicket: The waiting room let in nobody of these.
        SlotFull, TimesOverlap, AlreadyBooked, NotEligible: With the number of the wish.
    """
    told = draft.read()
    before: Held | None = told.get("held")
    mark = [told["people"], told.get("exception"), source(), _places()]
    if before and before["mark"] == mark and not anew:
        return before
    first = draft.people()[0]
    limit("book", first.get("id") or known_by(draft.details_of(None, first)))
    held = parts().doors.run(lambda db: _hold(db, before, told.get("exception", "")))
    held |= {"places": _places(), "mark": mark}
    draft.keep(held=held)
    return held


def actor(first: UUID) -> Actor:
    """Return who books: staff, the citizen signed in, or a stranger as whom they tell of first."""
    if at_desk():
        return Actor("staff", visitor().id)
    return family.actor() if draft.citizen() else Actor("citizen", first)


def _hold(db: Any, before: Held | None, exception: str) -> Held:  # noqa: ANN401 - views know no SQL
    told, begun = draft.people(), now()
    new: list[str] = before["new"] if before else []
    everybody = [
        draft.person_of(db, one, (mine, before["id"]) if before and mine else None)
        for one, mine in zip(told, new + [""] * len(told), strict=False)
    ]
    known = [details_of(parts().vault, person) for person in everybody]
    refuse_another(*(each for one in known for each in (one.identity.value, one.phone, one.mail)))
    who = actor(everybody[0].id)
    if before:
        with suppress(NotFound, WrongState):  # it was booked, or let go
            parties.let_go(db, party_id=UUID(before["id"]), actor=who, now=now())
    desk.own_alone(db, {one.slot_id for one in wanted()})
    wishes = [Wish(everybody[one.number], one.slot_id, one.dose) for one in wanted()]
    try:
        made = parties.hold(
            db, vault=parts().vault, wishes=wishes, source=source(), actor=who, now=now(),
            exception_reason=exception,
        )  # fmt: skip
    except NotDue as refusal:
        if "id" in told[wanted()[refusal.which].number]:
            raise
        other = AlreadyBooked()  # no word of a record to who only typed
        other.which = refusal.which
        raise other from None
    new = [
        str(each.id) if each.recorded_at >= begun or str(each.id) in new else ""
        for each in everybody
    ]
    return {"id": str(made.id), "until": made.until.isoformat(), "new": new}


def _places() -> list[list[Any]]:
    """Return the places that are wanted as a session keeps them."""
    return [[one.number, one.slot_id.hex, one.dose] for one in wanted()]
