"""Waiting for a place: the list, what is offered from it, and the draws, for anybody to compute."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from healthcert.errors import (
    AlreadyBooked,
    NotEligible,
    NotFound,
    SlotFull,
    TimesOverlap,
    WrongState,
)
from healthcert.models import Offer, WaitEntry
from healthcert.services import draws as drawing
from healthcert.services import offers, waiting
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, serve
from healthcert.web.api.lists import Page, Paging, page
from healthcert.web.api.shapes import Told, of

_STEPS = (NotFound, WrongState)


@of(Offer, "id", "slot_id", "ends_at")
class Offered(Told):
    """A place that is kept for somebody until they answer, or its time ends."""


@of(WaitEntry, "id", "programme_id", "site_id", "within_km", "standby", "turn_on", "state")
class Entry(Told):
    """What somebody waits for."""


class Wait(Told):
    """What is waited for, how many are before one, and what is offered now."""

    entry: Entry
    before: int
    offer: Offered | None


class Draw(Told):
    """A draw as it stands: its rules, and what of it is public by now (`docs/draw/`)."""

    id: UUID
    state: str
    manifest: dict[str, Any]


@deed("GET", "/waiting", (NotFound,))
def waits(on: On, query: Paging) -> Page[Wait]:
    """List what a person waits for."""
    found = waiting.of_person(on.db, on.whose("view"))
    return page(Wait, found, lambda one: (one.entry.id,), query)


serve("POST", "/waiting", waiting.join, (NotFound, AlreadyBooked, NotEligible), whose="book",
      status=201)  # fmt: skip
serve("POST", "/waiting/<uuid:entry_id>/leave", waiting.leave, _STEPS, whose="book")
serve("POST", "/offers/<uuid:offer_id>/accept", offers.accept,
      (*_STEPS, SlotFull, AlreadyBooked, NotEligible, TimesOverlap), whose="book")  # fmt: skip
serve("POST", "/offers/<uuid:offer_id>/decline", offers.decline, _STEPS, whose="book")


@deed("GET", "/draws")
def draws(on: On, query: Paging) -> Page[Draw]:
    """List the draws; their files are public beside them on `/draws`."""
    told = [drawing.manifest(draw) for draw, _names in drawing.every(on.db)]
    rows = [{"id": UUID(one["id"]), "state": one["state"], "manifest": one} for one in told]
    return page(Draw, rows, lambda one: (one.id,), query)
