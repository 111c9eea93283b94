"""How many of those who wait may go on, and how fast: by what the service is seen to manage.

Nobody is let in for whom no place is left: whoever was let in has their time, and those who are
still at it count as places taken. So a slow line loses nothing against a quick one.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from healthcert.policy import tickets
from healthcert.policy.tickets import Ticket

TURN = 20 * 60  # seconds that somebody has to book
SLOWEST, FIRST, FASTEST = 0.2, 5.0, 500.0  # people a second
_TOO_SLOW = 0.5  # seconds that a request should take at most, waiting included
_BACK, _ON, _AHEAD = 0.85, 1.03, 2.0
_LATELY, _LONGEST_STEP, _MARKS = 60.0, 15.0, 32


class Step(NamedTuple):
    """How far the line had come at a moment; places as `tickets.place` gives them."""

    at: float  # seconds since 1970
    upto: int  # these may go on
    left: int  # places that were free
    been: int = 0  # how many were let in until then
    rate: float = FIRST  # how many a second may go on


class Standing(NamedTuple):
    """How it is with a ticket."""

    state: str  # ``new`` (it is none), ``soon``, ``waiting``, ``go`` or ``over``
    place: int | str = ""  # once the seed is told
    before: int = 0  # about how many wait in front
    minutes: int | None = None  # about how long; None where nobody can say


NO_TICKET = Standing("new")


def standing(ticket: Ticket, line: Mapping[str, Any]) -> Standing:
    """Return how it is with a ticket, by what is told of the line (`jobs.room`)."""
    if not line.get("seed"):
        return Standing("soon")
    place = tickets.place(ticket, bytes.fromhex(line["seed"]))
    if place <= line["upto"]:
        return Standing("over" if place <= line["since"] else "go", place)
    ahead, speed = before(place, line["marks"]), line["per_minute"]
    return Standing("waiting", place, ahead, -(-ahead // speed) if speed else None)


def kept(steps: Sequence[Step], at: float) -> Sequence[Step]:
    """Return the steps that still matter: those within a turn, and the one before them."""
    return steps[max(0, sum(step.at <= at - TURN for step in steps) - 1) :]


def next_step(
    steps: Sequence[Step], places: Sequence[int], *, at: float, left: int, took: float,
    each: int = 1,
) -> Step:  # fmt: skip
    """Return the next step of a line.

    Args:
        steps: Those so far, at least one, as `kept` leaves them.
        places: Of everybody whose turn is not over, each person once, in order.
        at: Now, in seconds since 1970.
        left: Places that are free for them.
        took: Seconds a request took just now.
        each: How many people each of `places` stands for.
    """
    turn, last, before = steps[0], steps[-1], lately(steps, at)
    finished = max(0, before.left - left) / max(1.0, at - before.at)
    rate = next_rate(last.rate, finished, took)
    been = bisect_right(places, last.upto)
    busy = (been - bisect_right(places, turn.upto)) * each - max(0, turn.left - left)
    chances = round(rate * min(at - last.at, _LONGEST_STEP))
    more = min(min(chances, left - max(0, busy)) // each, len(places) - been)
    upto = places[been + more - 1] if more > 0 else last.upto
    return Step(at, upto, left, last.been + max(0, more) * each, rate)


def next_rate(rate: float, finished: float, took: float) -> float:
    """Return how many a second may go on, from how many bookings a second are finished.

    When requests are slow, what is finished is what can be done: it falls below that at once.
    Else it grows a little with each step, and never past twice what is finished, since people
    take minutes to book.
    """
    if took > _TOO_SLOW:
        wanted = min(rate, max(_BACK * finished, _BACK**2 * rate))
    else:
        wanted = min(_ON * rate, max(FIRST, _AHEAD * finished, rate * _BACK))
    return max(SLOWEST, min(wanted, FASTEST))


def lately(steps: Sequence[Step], at: float) -> Step:
    """Return the first step of the last minute, or else the last one."""
    return next((step for step in steps if step.at >= at - _LATELY), steps[-1])


def marks(waiting: Sequence[int]) -> list[tuple[int, int]]:
    """Return some places with how many wait before each, from which anybody can estimate."""
    at = range(0, len(waiting), max(1, len(waiting) // _MARKS))
    return [(waiting[one], one) for one in sorted({*at, *range(len(waiting))[-1:]})]


def before(place: int, told: Sequence[Sequence[int]]) -> int:
    """Return about how many wait before a place, by the marks; past the last, all of them."""
    if not told or place <= told[0][0]:
        return 0
    for (low, fewer), (high, more) in pairwise(told):
        if place <= high:
            return fewer + (more - fewer) * (place - low) // (high - low)
    return told[-1][1] + 1
