"""Make sessions ahead, keep holidays, and book everybody anew whose session was cancelled."""

from datetime import datetime
from functools import partial
from uuid import UUID

from healthcert.parts import Parts
from healthcert.services import keeping, rebooking, resting, sessions

_BEGINS = 5  # seconds of each minute, in which some round begins
_AT_ONCE = 100  # people for whom free slots are looked up together


def make(parts: Parts, now: datetime) -> int:
    """Make the sessions that templates are behind with; return how many."""
    until = sessions.horizon(parts.country, now.date())
    work = partial(sessions.make, country=parts.country, until=until, now=now)
    with parts.doors.reading() as db:
        waiting = sessions.behind(db, until=until)
    return sum(len(parts.doors.run(partial(work, template_id=each))) for each in waiting)


def keep_holidays(parts: Parts, now: datetime) -> int:
    """Close sites on the holidays declared for them, open them where none is; return how many days.

    Each site goes in a transaction of its own, so that it may end anywhere and goes on there. All
    holidays are looked at as a minute begins, since sites come later or change their region; else
    after a change of theirs.
    """
    with parts.doors.reading() as db:
        if now.second >= _BEGINS and not resting.stirred(db, now=now):
            return 0
        close = [site_id for site_id, *_ in resting.to_close(db, now=now)]
        closed = [closure.site_id for closure in resting.to_open(db, now=now)]
    work = partial(keeping.keep, country=parts.country, now=now)
    sites = dict.fromkeys([*close, *closed])
    return sum(parts.doors.run(partial(work, site_id=each)) for each in sites)


def rebook(parts: Parts, now: datetime) -> int:
    """Book people anew until nobody is left in a cancelled session; return how many have a place.

    Each goes in a transaction of their own, so that it may end anywhere and nobody waits for long.
    """
    work, placed = partial(rebooking.rebook, vault=parts.vault, now=now), 0
    soonest = now + rebooking.NOTICE
    while some := parts.doors.run(partial(rebooking.left, now=now, limit=_AT_ONCE)):
        slots: dict[UUID, list[tuple[UUID, datetime]]] = {}  # by the session that was cancelled
        for session_id, each, starts_at in some:
            if session_id not in slots:
                with parts.doors.reading() as db:
                    slots[session_id] = rebooking.instead(
                        db, session_id=session_id, not_before=max(soonest, starts_at),
                        wanted=_AT_ONCE,
                    )  # fmt: skip
            one = partial(work, appointment_id=each, slots=slots[session_id])
            placed += parts.doors.run(one)
    return placed
