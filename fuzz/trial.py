"""Many attempts in a row, each timed, with the room they take and how they ended."""

from __future__ import annotations

import resource
import traceback
import tracemalloc
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from time import thread_time_ns
from typing import Any

MOST_SECONDS, MOST_BYTES = 0.050, 8 * 1024 * 1024
_SLOW_NS = 5_000_000  # tried again: a busy machine or a garbage collection, or truly slow
_TRACED = (
    200  # one in so many is traced for the memory it takes; all are by the peak of the process
)
_WARM_UP = 2_000


@dataclass(frozen=True, slots=True)
class Kind:
    """What is tried: a maker of cases from chance, the attempt at one, the seconds p99 may take."""

    name: str
    make: Callable[[Random], Any]
    attempt: Callable[[Any], str]
    most_p99: float


@dataclass(slots=True)
class Found:
    """What some attempts came to."""

    times: array[float] = field(default_factory=lambda: array("f"))
    worst: tuple[float, int] = (0.0, -1)  # seconds, number
    traced: int = 0  # bytes
    grown: int = 0  # bytes
    endings: Counter[str] = field(default_factory=Counter)
    unhandled: list[str] = field(default_factory=list)

    def add(self, other: Found) -> None:
        """Take in what others came to."""
        self.times += other.times
        self.worst = max(self.worst, other.worst)
        self.traced = max(self.traced, other.traced)
        self.grown = max(self.grown, other.grown)
        self.endings += other.endings
        self.unhandled += other.unhandled

    @property
    def p99(self) -> float:
        """Seconds that ninety-nine of a hundred stay below."""
        return sorted(self.times)[len(self.times) * 99 // 100]

    def faults(self, most_p99: float, *, slower: int = 1) -> list[str]:
        """Return which promises were broken, on something so many times slower than alone."""
        held = {
            f"{len(self.unhandled)} unhandled": not self.unhandled,
            f"worst over {MOST_SECONDS * 1000:.0f} ms": self.worst[0] <= slower * MOST_SECONDS,
            f"p99 over {most_p99 * 1000:.0f} ms": self.p99 <= slower * most_p99,
            "memory over 8 MB": max(self.traced, self.grown) <= MOST_BYTES,
        }
        return [broken for broken, is_held in held.items() if not is_held]


def case_of(kind: Kind, seed: int, number: int) -> Any:
    """Return one case; seed and number are all it takes to make it again."""
    return kind.make(Random(seed << 40 | number))


def run(kind: Kind, seed: int, numbers: range) -> Found:
    """Return what the attempts with these numbers came to."""
    found = Found()
    for number in numbers[:_WARM_UP]:
        _try(kind, case_of(kind, seed, number))
    before = _peak()
    for number in numbers:
        case = case_of(kind, seed, number)
        begin = thread_time_ns()
        ending = _try(kind, case)
        took = thread_time_ns() - begin
        if took > _SLOW_NS:
            took = min(took, *(_time(kind, case) for _ in range(2)))
        found.times.append(took / 1e9)
        found.worst = max(found.worst, (took / 1e9, number))
        if ending.startswith("Traceback"):
            found.unhandled.append(f"number {number}: {ending}")
            ending = "UNHANDLED"
        found.endings[ending] += 1
        if number % _TRACED == 0:
            found.traced = max(found.traced, _traced(kind, case))
    found.grown = _peak() - before
    return found


def _try(kind: Kind, case: Any) -> str:
    try:
        return kind.attempt(case)
    except Exception:  # noqa: BLE001 - whatever nobody expected is what is looked for
        return traceback.format_exc()


def _time(kind: Kind, case: Any) -> int:
    begin = thread_time_ns()
    _try(kind, case)
    return thread_time_ns() - begin


def _traced(kind: Kind, case: Any) -> int:
    tracemalloc.start()
    try:
        _try(kind, case)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _peak() -> int:
    """Return the most memory this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
