"""Offer freed places to those who wait."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from healthcert.parts import Parts
from healthcert.services import offering

_SECONDS = 5  # of each minute, in which some round begins


def offer(parts: Parts, now: datetime) -> int:
    """End offers that are over and make new ones, once a minute; return how many it was."""
    if now.second >= _SECONDS:
        return 0
    done = parts.doors.run(partial(offering.close, vault=parts.vault, now=now))
    with parts.doors.reading() as db:
        free = offering.due(db, now=now)
    fill = partial(
        offering.fill, vault=parts.vault, quiet=parts.country.quiet_hours, now=now,
        link=f"{parts.settings.base_url}/my/waiting",
    )  # fmt: skip
    return done + sum(parts.doors.run(partial(fill, slot_id=slot_id)) for slot_id in free)
