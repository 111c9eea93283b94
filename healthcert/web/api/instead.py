"""The next best offer: where a place was taken meanwhile, the nearest in time that are free."""

from datetime import date, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from healthcert.errors import Refusal, SlotFull, TimesOverlap, WrongState
from healthcert.services import scenes, search
from healthcert.web.api.anybody import FreeSlot
from healthcert.web.clinic import own_site
from healthcert.web.here import parts, today
from healthcert.web.moment import now

LOST = (SlotFull, TimesOverlap, WrongState)  # what another time may help against


def offer(refusal: Refusal, body: Any, *, at_desk: bool) -> None:  # noqa: ANN401 - sent, or nothing
    """Note in a refusal which other times there are of the product that was wished for.

    A desk is told of those that it can book: at its own site, for who stands there today's.
    """
    wishes = getattr(body, "wishes", None) or [body]
    wish = wishes[min(refusal.which, len(wishes) - 1)]
    slot_id = getattr(wish, "slot_id", None) or next(iter(refusal.args), None)
    if slot_id is None:
        return
    asked: dict[str, Any] = {"dose_number": getattr(wish, "dose_number", 1)}
    if at_desk:
        asked |= {"site_id": own_site(), "source": getattr(body, "source", "web")}
    refusal.instead = [
        FreeSlot.model_validate(each).model_dump(mode="json") for each in _nearest(slot_id, asked)
    ]


def _nearest(slot_id: UUID, asked: dict[str, Any]) -> list[search.FreeSlot]:
    """Return free slots of the same product from that hour on, by how far they are from it."""
    with parts().doors.reading() as db:
        place = scenes.place_of(db, slot_id, states=None)
        site, at, day = place.site, place.slot.starts_at, place.session.day
        hour = at.astimezone(ZoneInfo(site.time_zone)).time()
        last = today(site.time_zone) if asked.get("source") == "walk_in" else date.max
        wanted: dict[str, Any] = asked | {
            "programme_id": place.programme.id, "product_id": place.product.id, "limit": 50,
            "near": (site.latitude, site.longitude), "days": (day, last), "now": now(),
        }  # fmt: skip
        later = search.nearest_free(db, needs=search.Needs(hours=(hour, time.max)), **wanted)
        found = later or search.nearest_free(db, **wanted)
    return sorted(found, key=lambda each: abs(each.starts_at - at))[:5]
