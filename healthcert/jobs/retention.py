"""Let go of what is over: some of it at once, the rest once a day, a batch at a time."""

from datetime import datetime

from healthcert.parts import Parts
from healthcert.services import retention, sweeping


def sweep(parts: Parts, now: datetime) -> int:
    """Take away visits and old codes, give up who did not come; return how many rows."""
    return parts.doors.run(lambda db: sweeping.sweep(db, now=now))


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
