"""The next best offer: where a place was taken meanwhile, the nearest in time that are free."""

from datetime import time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from healthcert.errors import Refusal, SlotFull, TimesOverlap, WrongState
from healthcert.services import scenes, search
from healthcert.web.api.anybody import FreeSlot
from healthcert.web.here import parts
from healthcert.web.moment import now

LOST = (SlotFull, TimesOverlap, WrongState)  # what another time may help against


def offer(refusal: Refusal, body: Any) -> None:  # noqa: ANN401 - what was sent, or nothing
    """Note in a refusal which other times there are of the product that was wished for."""
    wishes = getattr(body, "wishes", None) or [body]
    wish = wishes[min(refusal.which, len(wishes) - 1)]
    slot_id = getattr(wish, "slot_id", None) or next(iter(refusal.args), None)
    if slot_id is not None:
        dose_number = getattr(wish, "dose_number", 1)
        refusal.instead = [
            FreeSlot.model_validate(each).model_dump(mode="json")
            for each in _nearest(slot_id, dose_number)
        ]


def _nearest(slot_id: UUID, dose_number: int) -> list[search.FreeSlot]:
    """Return free slots of the same product from that hour on, by how far they are from it."""
    with parts().doors.reading() as db:
        place = scenes.place_of(db, slot_id, states=None)
        site, at, day = place.site, place.slot.starts_at, place.session.day
        hour = at.astimezone(ZoneInfo(site.time_zone)).time()
        wanted: dict[str, Any] = {
            "programme_id": place.programme.id, "product_id": place.product.id, "limit": 50,
            "near": (site.latitude, site.longitude), "days": (day, day.max), "now": now(),
            "dose_number": dose_number,
        }  # fmt: skip
        later = search.nearest_free(db, needs=search.Needs(hours=(hour, time.max)), **wanted)
        found = later or search.nearest_free(db, **wanted)
    return sorted(found, key=lambda each: abs(each.starts_at - at))[:5]
