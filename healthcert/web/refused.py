"""A booking that was refused: why, for whom, and what else can be done; nothing is lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template

from healthcert.errors import (
    AlreadyBooked,
    NotEligible,
    Refusal,
    SlotFull,
    TimesOverlap,
    WrongState,
)
from healthcert.services import booking, eligibility, people
from healthcert.services.audit import Actor
from healthcert.web import draft
from healthcert.web.here import parts
from healthcert.web.labels import EXCEPTIONS
from healthcert.web.moment import now
from healthcert.web.places import Page, at_desk
from healthcert.web.refusals import answer_to
from healthcert.web.times import asked, chosen, second, slots

REFUSED = (SlotFull, TimesOverlap, AlreadyBooked, NotEligible, WrongState)


def answered(refusal: Refusal) -> Page:
    """Return the page that says why, names who of several it is about, and leads on."""
    count, answer = len(chosen("slot")), answer_to(type(refusal))
    if isinstance(refusal, SlotFull | WrongState) or (
        count == 1 and isinstance(refusal, TimesOverlap)
    ):
        return (slots if refusal.which < count else second)(answer)
    number = refusal.which % count + 1
    is_kept = isinstance(refusal, NotEligible) and refusal.by_phase and _kept(number)
    page = render_template(
        "booking/refused.html", answer=answer, refusal=refusal, asked=asked(), is_kept=is_kept,
        is_second=refusal.which >= count, number=number, count=count,
        exceptions=EXCEPTIONS if at_desk() and is_kept else {},
    )  # fmt: skip
    return page, answer.status


def _kept(number: int) -> bool:
    """Keep why a person was refused, so that anybody they ask can tell them why not yet."""
    one, slot_id, vault = draft.people()[number - 1], chosen("slot")[0], parts().vault

    def decide(db: Any) -> bool:  # noqa: ANN401 - views know no SQL
        if "typed" in one:
            told = draft.details_of(one)
            return booking.keep_refusal(db, vault=vault, slot_id=slot_id, details=told, now=now())
        person, session = people.locked(db, UUID(one["id"])), booking.place_of(db, slot_id).session
        eligibility.decide(
            db, vault=vault, person=person, programme_id=session.programme_id, day=session.day,
            actor=Actor("citizen", person.id), now=now(),
        )  # fmt: skip
        return True

    return parts().doors.run(decide)
