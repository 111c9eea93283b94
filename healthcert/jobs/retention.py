"""Let go of what its time is over for, once a day, a batch of each kind at a time."""

from __future__ import annotations

from datetime import datetime

from healthcert.parts import Parts
from healthcert.services import retention


def let_go(parts: Parts, now: datetime) -> int:
    """Let go of one batch of each kind, if a day has passed since a run was done; return the rows.

    A round that finds nothing more writes the report, and the day begins anew.
    """
    with parts.doors.reading() as db:
        last = retention.last_run(db)
    if last is not None and now < last + retention.EVERY:
        return 0
    count = sum(
        parts.doors.run(lambda db, kind=kind: retention.apply(db, kind, now=now))  # type: ignore[misc]
        for kind in retention.kinds()
    )
    if not count:
        parts.doors.run(lambda db: retention.report(db, now=now))
    return count
