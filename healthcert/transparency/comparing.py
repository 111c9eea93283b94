"""What was done to a log: the record as it stands, compared with heads and leaves kept elsewhere.

One pass over the record. Every source is a row of seals that were signed; where the record and a
source part, the events are named that were edited, removed, inserted or put elsewhere.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from healthcert.transparency.evidence import Finding, Kind, Sealed, Source
from healthcert.transparency.merkle import Edge
from healthcert.transparency.seals import Leaf

LAG = timedelta(minutes=10)  # what an event may be written down late, and clocks differ
_MOST_SUSPECTS = 100


def compare(record: Iterable[Sealed], sources: Iterable[Source]) -> list[Finding]:
    """Return all that is not as it was signed, in the order in which it is met.

    Args:
        record: Every sealed event, in the order of the tree.
        sources: What to hold it against; the record's own heads are one of them.
    """
    parted = [_Parting(source) for source in sources]
    found: list[Finding] = []
    edge, times = Edge(), _times(parted)
    floor: datetime | None = None
    for position, event in enumerate(record):
        floor = max(filter(None, (floor, times.get(position))), default=None)
        found += _looked_at(event, floor)
        edge = edge.grown([event.leaf.hash])
        for each in parted:
            each.take(position, event.leaf, edge)
    for each in parted:
        found += [*each.source.faults, *each.findings(edge.size)]
    return found


def _times(parted: Iterable[_Parting]) -> Mapping[int, datetime]:
    times: dict[int, datetime] = {}
    for each in parted:
        for size, at in each.source.times.items():
            times[size] = max(at, times.get(size, at))
    return times


def _looked_at(event: Sealed, floor: datetime | None) -> Iterator[Finding]:
    """Say what an event's own row shows, without any source."""
    named = (event.leaf.event,)
    if event.now is None:
        yield Finding("removed", f"event {named[0]} is gone", "record", named)
    elif event.now != event.leaf.hash:
        yield Finding("edited", f"event {named[0]} is not as it was sealed", "record", named)
    if floor and event.recorded_at and event.recorded_at < floor - LAG:
        says = f"event {named[0]} says {event.recorded_at}, but was sealed after {floor}"
        yield Finding("back_dated", says, "record", named)


@dataclass(slots=True)
class _Parting:
    """Where the record and a source part."""

    source: Source
    was: dict[UUID, tuple[int, bytes]] = field(default_factory=dict)
    now: dict[UUID, tuple[int, bytes]] = field(default_factory=dict)
    good: int = 0
    bad: int = 0
    since: list[UUID] = field(default_factory=list)  # events after the last good head

    def take(self, position: int, leaf: Leaf, edge: Edge) -> None:
        """Look at the next leaf of the record."""
        kept = self.source.leaves.get(position)
        if kept is not None and kept != leaf:
            self.was[kept.event] = (position, kept.hash)
        if (kept is not None and kept != leaf) or leaf.event in self.was:
            self.now[leaf.event] = (position, leaf.hash)
        if self.bad:
            return
        if len(self.since) < _MOST_SUSPECTS:
            self.since.append(leaf.event)
        root = self.source.heads.get(edge.size)
        if root is None:
            return
        if root == edge.root:
            self.good = edge.size
            self.since.clear()
        else:
            self.bad = edge.size

    def findings(self, size: int) -> Iterator[Finding]:
        """Say what was done, given the size of the record's tree now."""
        for position, leaf in self.source.leaves.items():
            if position >= size and leaf.event not in self.now:
                self.was[leaf.event] = (position, leaf.hash)
        yield from self._changed()
        if self.bad:
            says = f"another tree of size {self.bad} was signed; equal up to {self.good} events"
            yield Finding("forked", says, self.source.name, tuple(self.since))
        longest = max(self.source.heads, default=0)
        if longest > size:
            says = f"a tree of {longest} events was signed, there are {size}"
            yield Finding("removed", says, self.source.name)

    def _changed(self) -> Iterator[Finding]:
        stayed = []
        for event, (position, hashed) in self.was.items():
            here = self.now.get(event)
            if here is None:
                yield self._named("removed", event, f"was at {position}, is no longer in the tree")
            elif here[1] != hashed:
                yield self._named("edited", event, f"at {position} is not as it was signed")
            else:
                stayed.append((position, here[0], event))
        for event, (place, _) in self.now.items():
            if event not in self.was:
                yield self._named("inserted", event, f"at {place} was not in the tree")
        for position, place, event in _out_of_order(sorted(stayed)):
            yield self._named("reordered", event, f"was at {position}, is at {place}")

    def _named(self, kind: Kind, event: UUID, says: str) -> Finding:
        return Finding(kind, f"event {event} {says}", self.source.name, (event,))


def _out_of_order(moved: list[tuple[int, int, UUID]]) -> list[tuple[int, int, UUID]]:
    """Return the fewest that must have moved: all but a longest run that still rises."""
    ends: list[int] = []
    lengths = []
    for _, here, _ in moved:
        place = bisect_left(ends, here)
        ends[place : place + 1] = [here]
        lengths.append(place)
    wanted, out = len(ends) - 1, []
    for each, length in zip(reversed(moved), reversed(lengths), strict=True):
        if length == wanted:
            wanted -= 1
        else:
            out.append(each)
    return out[::-1]
