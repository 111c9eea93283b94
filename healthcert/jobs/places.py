"""Open the places that were kept for somebody, and that nobody took."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from healthcert.parts import Parts
from healthcert.services import places

_SECONDS = 5  # of each minute: a slot of the next two days is looked at, and they are many


def release(parts: Parts, now: datetime) -> int:
    """Open them at the beginning of a minute; return in how many slots."""
    if now.second >= _SECONDS:
        return 0
    return parts.doors.run(partial(places.release, hours=parts.country.release_hours, now=now))
