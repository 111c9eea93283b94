"""The next best offer: where a place was taken meanwhile, the nearest in time that are free."""

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from healthcert.errors import Refusal, SlotFull, TimesOverlap, WrongState
from healthcert.models import Appointment, Offer, Person
from healthcert.services import asking, booking, knowledge, parties, scenes, search
from healthcert.services.scenes import Place
from healthcert.web.api.anybody import FreeSlot
from healthcert.web.clinic import own_site
from healthcert.web.guards import visitor
from healthcert.web.here import parts, today
from healthcert.web.moment import now

LOST = (SlotFull, TimesOverlap, WrongState)  # what another time may help against
_TOLD = 5


class _Asked(NamedTuple):
    """The place that was asked for, and what for."""

    slot_id: UUID
    dose_number: int
    source: str
    person_id: UUID | None  # None where what is on record of them is not for who asks
    before: UUID | None = None  # the slot of the dose before, asked for together
    theirs: UUID | None = None  # the slot that they would leave for it


def offer(refusal: Refusal, given: Mapping[str, Any], *, at_desk: bool) -> None:
    """Note in a refusal which other times there are for the dose and the product asked for.

    A later dose keeps its interval. A desk is told of those that it can book: at its own site, for
    who stands there today's.
    """
    with parts().doors.reading() as db:
        asked = _asked(db, refusal, given, at_desk=at_desk)
        if asked is None:
            return
        place = scenes.place_of(db, asked.slot_id, states=None)
        found = _nearest(db, place, asked, at_desk=at_desk)
    if isinstance(refusal, TimesOverlap):
        begins, ends = place.slot.starts_at, place.slot.ends_at
        found = [each for each in found if each.starts_at >= ends or each.ends_at <= begins]
    refusal.instead = [
        FreeSlot.model_validate(each).model_dump(mode="json") for each in found[:_TOLD]
    ]


def _asked(
    db: Any, refusal: Refusal, given: Mapping[str, Any], *, at_desk: bool  # noqa: ANN401
) -> _Asked | None:  # fmt: skip
    """Return what was asked for, as it was sent or is held; None where that was no place."""
    body = given.get("body")
    if wishes := getattr(body, "wishes", None):
        wish = wishes[refusal.which]
        theirs = [
            one for one in wishes if (one.person_id, one.details) == (wish.person_id, wish.details)
        ]
        whose = None if wish.details else wish.person_id or visitor().person_id
        return _of(wish, theirs, getattr(body, "source", "web"), whose)
    if "appointment_id" in given and (slot_id := getattr(body, "slot_id", None)):
        old = db.get_one(Appointment, given["appointment_id"])
        more = {"person_id": old.person_id, "theirs": old.slot_id}
        return _Asked(slot_id, old.dose_number, old.source, **more)
    if isinstance(refusal, WrongState):
        return None  # what was held or offered is not theirs any more
    if "party_id" in given:
        held = parties.held(db, party_id=given["party_id"]).appointments
        one = held[refusal.which]
        theirs = [each for each in held if each.person_id == one.person_id]
        return _of(one, theirs, one.source, one.person_id if at_desk else None)
    if "offer_id" in given:
        made = db.get_one(Offer, given["offer_id"])
        person, place = db.get_one(Person, made.person_id), scenes.place_of(db, made.slot_id)
        number = asking.dose_for(db, parts().vault, person, place) or 1
        return _Asked(made.slot_id, number, "phone" if at_desk else "web", person.id)
    return None


def _of(one: Any, theirs: Sequence[Any], source: str, whose: UUID | None) -> _Asked:  # noqa: ANN401
    """Return one of somebody's wishes or appointments as what was asked for."""
    before = (each.slot_id for each in theirs if each.dose_number == one.dose_number - 1)
    return _Asked(one.slot_id, one.dose_number, source, whose, next(before, None))


def _nearest(
    db: Any, place: Place, asked: _Asked, *, at_desk: bool  # noqa: ANN401 - views know no SQL
) -> list[search.FreeSlot]:  # fmt: skip
    """Return other free slots of the product, by how far they are from one.

    From that hour on, else from that day on, else from the first day on which the dose may be.
    """
    site, at, day = place.site, place.slot.starts_at, place.session.day
    first, last = _days(db, place, asked)
    if asked.source == "walk_in":
        last = min(last, today(site.time_zone))
    wanted: dict[str, Any] = {
        "programme_id": place.programme.id, "product_id": place.product.id, "limit": 50,
        "near": (site.latitude, site.longitude), "dose_number": asked.dose_number,
        "source": asked.source, "site_id": own_site() if at_desk else None, "now": now(),
    }  # fmt: skip
    hours = at.astimezone(ZoneInfo(site.time_zone)).time(), time.max
    found: list[search.FreeSlot] = []
    for begins, within in ((max(first, day), hours), (max(first, day), None), (first, None)):
        needs = search.Needs(hours=within)
        found = search.nearest_free(db, needs=needs, days=(begins, last), **wanted)
        found = [each for each in found if each.slot_id not in (asked.slot_id, asked.theirs)]
        if found:
            break
    return sorted(found, key=lambda each: abs(each.starts_at - at))


def _days(db: Any, place: Place, asked: _Asked) -> tuple[date, date]:  # noqa: ANN401
    """Return the first and the last day for the dose; from that of the place on if none is known.

    One that was asked for later than the last is still given, the sooner the better.
    """
    day = place.session.day
    first, last = day, date.max
    before = scenes.place_of(db, asked.before, states=None) if asked.before else None
    if before and before.product.id == place.product.id:
        rule = knowledge.rule_of(db, place.product.id).series
        first, last = rule.days_after(before.session.day)
    elif asked.person_id and asked.dose_number > 1:
        due = booking.due(
            db, vault=parts().vault, person_id=asked.person_id, slot_id=asked.slot_id,
            dose_number=asked.dose_number,
        )  # fmt: skip
        if due is not None and due.number == asked.dose_number:
            first, last = due.earliest, due.until or date.max
    return first, last if day <= last else date.max
