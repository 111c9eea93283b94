"""What the address of a booking tells: how many people, which places, and what else was asked for.

Those who get the same are a group, which chooses its places together: one value of ``slot``, and
of ``second``, for each group in turn, with the identifiers of its slots between dots.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from flask import request, url_for

from healthcert.errors import NotFound
from healthcert.web.labels import DOSES
from healthcert.web.places import MOST

LATER = "later"  # the second dose is left out for now
_CARRIED = (
    "source", "programme", "dose", "town", "people", "needs", "language", "hours", "since",
    "slot", "second",
)  # fmt: skip


class Chosen(NamedTuple):
    """A place that was chosen for one of them."""

    number: int  # of the person, from 0 on
    slot_id: UUID
    dose: int


def groups() -> list[list[int]]:
    """Return who of them, from 0 on, get the same: all in one group, or one for each programme."""
    each = request.args.getlist("programme")[:MOST]
    if len({*each}) > 1:
        of = {programme: [] for programme in each}  # type: dict[str, list[int]]
        for number, programme in enumerate(each):
            of[programme].append(number)
        return [*of.values()]
    told = request.args.get("slot", "").count(".") + 1
    return [[*range(max(1, request.args.get("people", told, type=int)))][:MOST]]


def wanted(*, whole: bool = True) -> list[Chosen]:
    """Return the places that were chosen: of all first doses, then of those booked along.

    Raises:
        NotFound: They are none, or not one for each; where it is not `whole`, for each so far.
    """
    found: list[Chosen] = []
    try:
        for name, dose in (("slot", dose_asked()), ("second", dose_asked() + 1)):
            told = request.args.getlist(name)
            found += sorted(
                Chosen(number, UUID(slot_id), dose)
                for group, ids in zip(groups(), told, strict=whole and name == "slot")
                if ids != LATER or name == "slot"
                for number, slot_id in zip(group, ids.split("."), strict=True)
            )
    except ValueError:
        raise NotFound from None
    return found


def dose_asked() -> int:
    """Return which dose is to be booked.

    Raises:
        NotFound: None that can be.
    """
    dose = request.args.get("dose", "1")
    if dose not in DOSES:
        raise NotFound
    return int(dose)


def asked(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what url_for takes
    """Return what the address tells of the booking, to go along through the journey."""
    told = {name: request.args.getlist(name) for name in _CARRIED if name in request.args}
    return told | changes


def again(name: str, turn: int = 0) -> str:
    """Return the address at which a group chooses its ``slot`` or ``second`` anew."""
    there = ".slots" if name == "slot" else ".second"
    return url_for(there, **asked(**{"second": None, name: request.args.getlist(name)[:turn]}))
