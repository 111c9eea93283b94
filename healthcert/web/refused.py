"""A booking that was refused: why, for whom, and what else can be done; nothing is lost."""

from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request, url_for

from healthcert.errors import (
    AlreadyBooked,
    AnothersTicket,
    NotEligible,
    NotFound,
    Refusal,
    SlotFull,
    TimesOverlap,
    WrongState,
)
from healthcert.services import booking, eligibility, people, scenes
from healthcert.services.audit import Actor
from healthcert.web import draft, priority
from healthcert.web.draft import Chosen, asked, groups, needs, wanted
from healthcert.web.here import parts
from healthcert.web.labels import EXCEPTIONS
from healthcert.web.moment import now
from healthcert.web.places import Page, at_desk, both
from healthcert.web.refusals import answer_to
from healthcert.web.times import again, second, slots

REFUSED = (SlotFull, TimesOverlap, AlreadyBooked, NotEligible, WrongState, AnothersTicket)


def answered(refusal: Refusal) -> Page:
    """Return the page that says why, names who of several it is about, and leads on."""
    count, which = len(draft.people()), refusal.which
    one = wanted()[which]
    if isinstance(refusal, booking.NotDue) and "typed" in draft.people()[one.number]:
        refusal = AlreadyBooked()  # no word of a record to who only typed
    answer = answer_to(type(refusal))
    g.wrong = {"reason": "missing"} if at_desk() and request.form.get("reason") == "" else {}
    is_second, number = which >= count, one.number + 1  # after a first place for each
    if isinstance(refusal, SlotFull | WrongState) or (
        count == 1 and isinstance(refusal, TimesOverlap)
    ):
        turn = next(turn for turn, group in enumerate(groups()) if one.number in group)
        return (second if is_second else slots)(answer, turn)
    is_by_phase = isinstance(refusal, NotEligible) and refusal.by_phase
    is_kept, is_put_off = is_by_phase and _kept(one), isinstance(refusal, booking.PutOff)
    said = draft.people()[one.number].get(draft.TOLD) or {}
    asks = priority.asks_of(needs()[one.number].programme, said) if is_by_phase else None
    page = render_template(
        "booking/refused.html", answer=answer, refusal=refusal, asked=asked(), is_kept=is_kept,
        is_second=is_second, dose=one.dose, number=number, count=count, again=again,
        exceptions=EXCEPTIONS if at_desk() and (is_kept or is_put_off) else {},
        is_not_due=isinstance(refusal, booking.NotDue), asks=asks,
    )  # fmt: skip
    return page, answer.status


@both("/without", "POST")
def without() -> Page:
    """Go on without one of several, who was refused."""
    number = request.args.get("number", 0, type=int)
    if not 1 <= number <= len(draft.people()) or len(draft.people()) == 1:
        raise NotFound
    return redirect(url_for(".check", **draft.without(number)), code=303)


def _kept(chosen: Chosen) -> bool:
    """Keep why a person was refused, so that anybody they ask can tell them why not yet."""
    one, slot_id, vault = draft.people()[chosen.number], chosen.slot_id, parts().vault

    def decide(db: Any) -> bool:  # noqa: ANN401 - views know no SQL
        session = scenes.place_of(db, slot_id).session
        of: Any = {"vault": vault, "programme_id": session.programme_id, "day": session.day}
        of |= {"told": priority.of_wish(db, one), "now": now()}
        if "typed" in one:
            new = (draft.read().get("held") or {"new": []})["new"]
            of |= {"new": new[chosen.number : chosen.number + 1]}
            return booking.keep_refusal(db, details=draft.details_of(db, one), **of)
        person = people.locked(db, UUID(one["id"]))
        eligibility.decide(db, person=person, actor=Actor("citizen", person.id), **of)
        return True

    return parts().doors.run(decide)
