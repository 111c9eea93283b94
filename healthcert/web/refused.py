"""A booking that was refused: why, for whom, and what else can be done; nothing is lost."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request, url_for

from healthcert.errors import (
    AlreadyBooked,
    NotEligible,
    Refusal,
    SlotFull,
    TimesOverlap,
    WrongState,
)
from healthcert.services import booking, eligibility, people, search
from healthcert.services.audit import Actor
from healthcert.web import party
from healthcert.web.about import about, details_in
from healthcert.web.answers import recalled
from healthcert.web.here import parts
from healthcert.web.labels import EXCEPTIONS
from healthcert.web.moment import now
from healthcert.web.places import asked, at_desk, near, source
from healthcert.web.refusals import answer_to
from healthcert.web.times import LATER, chosen, dose_asked, when_of, where_of, written

REFUSED = (SlotFull, TimesOverlap, AlreadyBooked, NotEligible, WrongState)
_NEXT_BEST = 6


def answered(refusal: Refusal) -> str:
    """Return the page that says why, names who of several it is about, and leads on."""
    count = len(chosen("slot"))
    number = refusal.which % count + 1
    told = {
        "answer": answer_to(type(refusal)), "refusal": refusal, "asked": asked(),
        "number": number if count > 1 else 0, "is_second": refusal.which >= count,
    }  # fmt: skip
    if isinstance(refusal, NotEligible):
        is_kept = refusal.by_phase and _kept(party.told()[number - 1])
        reasons = [{"value": code, "text": words} for code, words in EXCEPTIONS.items()]
        return render_template(
            "booking/not_open.html", is_kept=is_kept, reasons=reasons if at_desk() else (), **told
        )
    if isinstance(refusal, AlreadyBooked):
        return render_template("booking/already.html", **told)
    offers = [] if told["is_second"] else _offers()
    return render_template("booking/taken.html", offers=offers, **told)


def _offers() -> list[tuple[str, object, str]]:
    """Return the next best times for as many people: where each leads, when and where it is."""
    slots = chosen("slot")
    with parts().doors.reading() as db:
        place = booking.place_of(db, slots[0], states=None)
        found = search.nearest_free(
            db, programme_id=place.session.programme_id, near=near(place.site), now=now(),
            limit=_NEXT_BEST, dose_number=dose_asked(), places=len(slots), source=source(),
            site_id=place.site.id if at_desk() else None,
        )  # fmt: skip
    following = ".check" if request.args.get("second") == LATER else ".second"
    return [
        (url_for(following, **asked(slot=written(each))), when_of(each), where_of(each))
        for each in found
        if each.slot_ids != slots
    ]


def _kept(one: party.Entry) -> bool:
    """Keep why a person was refused, so that anybody they ask can tell them why not yet."""
    slot_id, doors, vault = chosen("slot")[0], parts().doors, parts().vault
    if "typed" in one:
        told = details_in(about(recalled(one["typed"])))
        return doors.run(
            lambda db: booking.keep_refusal(
                db, vault=vault, slot_id=slot_id, details=told, now=now()
            )
        )
    with doors.transaction() as db:
        person = people.locked(db, UUID(one["id"]))
        session = booking.place_of(db, slot_id).session
        eligibility.decide(
            db, vault=vault, person=person, programme_id=session.programme_id, day=session.day,
            actor=Actor("citizen", person.id), now=now(),
        )  # fmt: skip
    return True
