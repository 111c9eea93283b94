"""The end of a booking: everything is checked, confirmed, and in hand.

What was typed and chosen stays whatever happens: a hold that ran out is taken again, and where
that cannot be, the next best times are offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import redirect, render_template, session, url_for

from healthcert.models import Appointment
from healthcert.services import booking, parties
from healthcert.services.people import Details
from healthcert.web import desk, draft, held, party  # noqa: F401 - its views
from healthcert.web.about import name_of, told_back
from healthcert.web.chosen import again, asked, groups, wanted
from healthcert.web.here import parts
from healthcert.web.in_hand import done_key
from healthcert.web.moment import now
from healthcert.web.places import Page, both, bp, counter, source
from healthcert.web.refused import REFUSED, answered

DOORS = (bp, counter)  # of the whole way, with the views of all its modules


@both("/check")
def check() -> Page:
    """Show everything once more before it is booked, and how long its places are held."""
    if draft.missing():
        return held.onward()
    turns = {group[0]: turn for turn, group in enumerate(groups())}
    with parts().doors.reading() as db:
        places = [
            (one, booking.place_of(db, one.slot_id), turns[one.number])
            for one in wanted()
            if one.number in turns
        ]
        known = [("typed" in one, told_back(draft.details_of(db, one))) for one in draft.people()]
    return render_template(
        "booking/check.html", places=places, asked=asked(), now=now(), again=again,
        told=[(typed, rows if typed else [rows[0], rows[2]]) for typed, rows in known],
        until=held.until(), groups=groups(),
    )  # fmt: skip


@both("/check", "POST")
def book() -> Page:
    """Book what is held; where the hold ran out, its places are taken again if they are free."""
    if draft.missing():
        return held.onward()
    try:
        party_id = UUID(held.take()["id"])
        made, told = parts().doors.run(lambda db: _confirmed(db, party_id))
    except REFUSED as refusal:
        before = draft.read().get("held")
        draft.keep(held=before and before | {"mark": None})  # it fits no more: to be held anew
        return answered(refusal)
    booked = [
        {"reference": one.reference, "slot": str(one.slot_id), "dose": one.dose_number,
         "id": str(one.id), "name": name_of(told[chosen.number])}
        for one, chosen in zip(made, wanted(), strict=True)
    ]  # fmt: skip
    session[done_key()] = {"told": any(one.phone or one.mail for one in told), "made": booked}
    draft.forget()
    return redirect(url_for(".done"), code=303)


def _confirmed(db: Any, party_id: UUID) -> tuple[Sequence[Appointment], list[Details]]:  # noqa: ANN401
    first = parties.held(db, party_id=party_id).appointments[0].person_id
    made = parties.confirm(
        db, vault=parts().vault, party_id=party_id, actor=held.actor(first), now=now()
    )  # fmt: skip
    if source() == "walk_in":
        desk.arrived(db, made)
    return made, [draft.details_of(db, one) for one in draft.people()]
