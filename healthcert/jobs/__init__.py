"""The night shift: what the worker does between the deeds of people.

Each job stands alone: what one of them raises is logged by its kind, and the others go on. The
work itself is kept in rows, so a worker may end at any moment and another takes over.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from threading import Event, Thread
from types import MappingProxyType

from healthcert.errors import Refusal
from healthcert.jobs import (
    certificates,
    draws,
    keys,
    lots,
    outbox,
    places,
    publishing,
    reactions,
    retention,
    room,
    sealing,
    sessions,
)
from healthcert.parts import Parts

PAUSE = 1.0  # seconds between two rounds: the audit is sealed in each

Job = Callable[[Parts, datetime], int]

JOBS: Mapping[str, Job] = MappingProxyType(
    {
        "room": room.keep,
        "draws": draws.keep,
        "keys": keys.keep,
        "lots": lots.judge,
        "holidays": sessions.keep_holidays,  # all sites, before anybody is booked anew
        "closures": sessions.rebook,
        "sessions": sessions.make,
        "certificates": certificates.sign_pending,
        "withdrawals": certificates.take_back,
        "messages": outbox.send_due,
        "sweep": retention.sweep,
        "offers": places.offer,  # before places nobody is asked for are opened
        "places": places.release,
        "reminders": places.remind,
        "reactions": reactions.watch,
        "retention": retention.let_go,
        "audit": sealing.seal,  # after what tells of itself, before what carries the head
        "bundle": publishing.publish,
    }
)
# They look at many slots, or have hours.
_MINUTELY = frozenset({"offers", "places", "reminders", "reactions"})
# Each on its own: people wait for places, whatever keeps a relay waiting; and while the ranks of a
# million are written, or a line of as many is looked through, the waiting room and all else go on.
_BESIDE = (("sweep",), ("draws",), ("offers", "places"))
_ALONE = frozenset(name for names in _BESIDE for name in names)
_BEGINS = 5  # seconds of each minute, in which some round begins, or is told that it does
_LOG = logging.getLogger(__name__)


def run_once(parts: Parts, now: datetime, jobs: Mapping[str, Job] = JOBS) -> dict[str, int]:
    """Run every job once; return how much each of them did, those that failed left out."""
    done: dict[str, int] = {}
    for name, job in jobs.items():
        try:
            done[name] = job(parts, now) if now.second < _BEGINS or name not in _MINUTELY else 0
        except Refusal as refusal:
            _LOG.warning("a job was refused", extra={"job": name, "code": refusal.code})
        except Exception:  # noqa: BLE001 - the door of the night shift: the others go on
            _LOG.exception("a job failed", extra={"job": name})
        else:
            if done[name]:
                _LOG.info("a job was done", extra={"job": name, "count": done[name]})
    return done


def loop(parts: Parts, stop: Event) -> None:
    """Run the jobs again and again until told to stop, what is urgent beside the others."""
    each = [{name: JOBS[name] for name in names} for names in _BESIDE]
    beside = [Thread(target=_repeat, args=(parts, stop, one), daemon=True) for one in each]
    for thread in beside:
        thread.start()
    _repeat(parts, stop, {name: job for name, job in JOBS.items() if name not in _ALONE})
    for thread in beside:
        thread.join()


def _repeat(parts: Parts, stop: Event, jobs: Mapping[str, Job]) -> None:
    told = datetime.now(UTC)
    while not stop.is_set():
        told = moment(datetime.now(UTC), before=told)
        run_once(parts, told, jobs)
        stop.wait(PAUSE)


def moment(now: datetime, *, before: datetime) -> datetime:
    """Return the time that a round is told: where the one `before` took long, that of the minute.

    Else rounds of many seconds would pass by the few in which a minute, or an hour, begins.
    """
    minute = now.replace(second=0, microsecond=0)
    return minute if before < minute and now.second >= _BEGINS else now
