"""Take away what is over: visits, old codes, appointments nobody came to."""

from __future__ import annotations

from datetime import datetime

from healthcert.parts import Parts
from healthcert.services import sweeping


def sweep(parts: Parts, now: datetime) -> int:
    """Sweep once; return how many rows were taken away or moved on."""
    return parts.doors.run(lambda db: sweeping.sweep(db, now=now))
