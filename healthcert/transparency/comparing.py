"""What was done to a log: the record as it stands, held against heads and leaves kept elsewhere.

A source is what one keeper has of the log. Where the record and a source part, the events are
named that were edited, removed, inserted or put elsewhere.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Self
from uuid import UUID

from healthcert.errors import BadProof
from healthcert.transparency.merkle import Edge
from healthcert.transparency.notes import Verifier, cosigned_at, opened
from healthcert.transparency.seals import Leaf, Seal

Kind = Literal[
    "edited", "removed", "inserted", "reordered", "forked", "back_dated", "unsealed", "unsigned",
    "unreadable",
]  # fmt: skip
LAG = timedelta(minutes=10)  # what an event may be written down late, and clocks differ
_MOST_SUSPECTS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was signed."""

    kind: Kind  # what was done
    says: str  # the same for a person
    source: str  # what it was found by
    events: tuple[UUID, ...] = ()  # where only heads are known, those it must be among


class Sealed(NamedTuple):
    """An event of the record as it was sealed, as it stands, and when it says it was written."""

    leaf: Leaf
    now: bytes | None  # the hash of its entry; None where there is no such event
    recorded_at: datetime | None  # aware; None where it tells no time


def named(kind: Kind, event: UUID, says: str, source: str = "record") -> Finding:
    """Return the finding that names one event."""
    return Finding(kind, f"event {event} {says}", source, (event,))


@dataclass(slots=True)
class Source:
    """What one keeper has: heads and, where it kept them, leaves."""

    name: str
    heads: dict[int, bytes] = field(default_factory=dict)  # root by size
    times: dict[int, datetime] = field(default_factory=dict)  # when a head was made, by size
    leaves: dict[int, Leaf] = field(default_factory=dict)  # by position
    faults: list[Finding] = field(default_factory=list)  # what is signed wrongly or not at all

    @classmethod
    def of(
        cls, name: str, seals: Iterable[Seal], *, log: Verifier, witness: Verifier | None = None
    ) -> Self:
        """Return the source of seals in any order; without its signatures, one is a fault."""
        source = cls(name)
        for seal in seals:
            try:
                source._take(seal, log, witness)
            except BadProof as refusal:
                source.faults.append(Finding("unsigned", str(refusal), name))
        return source

    def _take(self, seal: Seal, log: Verifier, witness: Verifier | None) -> None:
        head = opened(seal.note, log)
        if witness and cosigned_at(seal.note, witness) is None:
            raise BadProof(f"the head of {head.size} events is not cosigned")
        if self.heads.setdefault(head.size, head.root) != head.root:
            says = f"two heads of size {head.size} were signed"
            self.faults.append(Finding("forked", says, self.name))
        if seal.at:
            self.times.setdefault(head.size, seal.at)
        self.leaves.update(enumerate(seal.leaves, start=head.size - len(seal.leaves)))


def compare(record: Iterable[Sealed], sources: Sequence[Source]) -> list[Finding]:
    """Return where a record, in the order of its tree, is not as the sources say it was signed."""
    leaves: list[Leaf] = []
    found: list[Finding] = []
    floor: datetime | None = None
    for event in record:
        at = (source.times.get(len(leaves)) for source in sources)
        floor = max(filter(None, (floor, *at)), default=None)
        found += _looked_at(event, floor)
        leaves.append(event.leaf)
    roots = _roots(leaves, {size for source in sources for size in source.heads})
    for source in sources:
        found += [*source.faults, *_changed(leaves, source), *_forked(leaves, source, roots)]
    return found


def _looked_at(event: Sealed, floor: datetime | None) -> Iterator[Finding]:
    """Say what an event's own row shows, given when the head before its seal was made."""
    if event.now is None:
        yield named("removed", event.leaf.event, "is gone")
    elif event.now != event.leaf.hash:
        yield named("edited", event.leaf.event, "is not as it was sealed")
    if floor and event.recorded_at and event.recorded_at < floor - LAG:
        says = f"says {event.recorded_at}, but was sealed after {floor}"
        yield named("back_dated", event.leaf.event, says)


def _roots(leaves: Sequence[Leaf], sizes: Iterable[int]) -> Mapping[int, bytes]:
    """Return the roots of the record's trees of these sizes, as far as it goes."""
    edge, roots = Edge(), {}
    for size in sorted(size for size in sizes if size <= len(leaves)):
        edge = edge.grown(leaf.hash for leaf in leaves[edge.size : size])
        roots[size] = edge.root
    return roots


def _forked(
    leaves: Sequence[Leaf], source: Source, roots: Mapping[int, bytes]
) -> Iterator[Finding]:
    """Say where the heads of a source part from the record, and whether it is too short."""
    good, longest = 0, max(source.heads, default=0)
    for size, root in sorted(source.heads.items()):
        if roots.get(size, root) != root:
            says = f"another tree of size {size} was signed; equal up to {good} events"
            among = leaves[good:size][:_MOST_SUSPECTS]
            yield Finding("forked", says, source.name, tuple(leaf.event for leaf in among))
            break
        good = size
    if longest > len(leaves):
        says = f"a tree of {longest} events was signed, there are {len(leaves)}"
        yield Finding("removed", says, source.name)


def _changed(leaves: Sequence[Leaf], source: Source) -> Iterator[Finding]:
    """Name the events that are not where, or what, the leaves of a source say."""
    kept = source.leaves
    was = {leaf.event: at for at, leaf in kept.items() if leaves[at : at + 1] != [leaf]}
    now = {
        leaf.event: at
        for at, leaf in enumerate(leaves)
        if leaf.event in was or kept.get(at, leaf) != leaf
    }
    stayed = []
    for event, at in was.items():
        if event not in now:
            yield named("removed", event, f"was at {at}, is no longer in the tree", source.name)
        elif leaves[now[event]] != kept[at]:
            yield named("edited", event, f"at {at} is not as it was signed", source.name)
        else:
            stayed.append((at, now[event], event))
    for event in now.keys() - was.keys():
        yield named("inserted", event, f"at {now[event]} was not in the tree", source.name)
    for at, place, event in _out_of_order(sorted(stayed)):
        yield named("reordered", event, f"was at {at}, is at {place}", source.name)


def _out_of_order(moved: list[tuple[int, int, UUID]]) -> Iterator[tuple[int, int, UUID]]:
    """Give the fewest that must have moved: all but a longest run that still rises."""
    ends: list[int] = []
    lengths = []
    for _, here, _ in moved:
        lengths.append(bisect_left(ends, here))
        ends[lengths[-1] : lengths[-1] + 1] = [here]
    wanted = len(ends) - 1
    for each, length in zip(reversed(moved), reversed(lengths), strict=True):
        if length == wanted:
            wanted -= 1
        else:
            yield each
