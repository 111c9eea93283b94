"""Once a minute: open places kept for somebody that nobody took, and remind who is to come."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from healthcert.parts import Parts
from healthcert.services import places, reminding

_SECONDS = 5  # of each minute: the slots of the next days are looked at, and they are many


def release(parts: Parts, now: datetime) -> int:
    """Open kept places at the beginning of a minute; return in how many slots."""
    if now.second >= _SECONDS:
        return 0
    return parts.doors.run(partial(places.release, hours=parts.country.release_hours, now=now))


def remind(parts: Parts, now: datetime) -> int:
    """Tell people at the beginning of a minute; return how many."""
    if now.second >= _SECONDS:
        return 0
    return parts.doors.run(partial(reminding.remind, vault=parts.vault, now=now))
