"""Tell when a serious case was not assessed in time."""

from datetime import datetime

from healthcert.parts import Parts
from healthcert.services import alarms


def watch(parts: Parts, now: datetime) -> int:
    """Raise an alarm of each case whose clock is over, once; return how many."""
    return parts.doors.run(lambda db: alarms.sound_overdue(db, now=now))
