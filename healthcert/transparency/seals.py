"""What travels between log, witness and auditor: seals, and proofs.

A seal is one line of JSON: a signed head, when it was made, the leaves it added, and the edge of
its tree. A proof of an event is c2sp.org/tlog-proof@v1; a proof of growth is the request of
c2sp.org/tlog-witness (add-checkpoint), so any witness of that kind can be asked with it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import NamedTuple, Self
from uuid import UUID

from healthcert.errors import BadProof
from healthcert.transparency.merkle import (
    HASH_BYTES,
    Edge,
    check_consistency,
    check_inclusion,
    leaf_hash,
)
from healthcert.transparency.notes import Checkpoint, Verifier, base64, opened, unbase64

_PROOF = "c2sp.org/tlog-proof@v1"
_NUMBER = re.compile(r"(old|index) (0|[1-9][0-9]{0,18})")
_MOST_HASHES = 63
_NOTHING = Edge()


class Leaf(NamedTuple):
    """An event as the tree holds it: its identifier, and the hash of its entry."""

    event: UUID
    hash: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """A signed head and what it added; where only the head is kept, the rest is empty."""

    note: str  # the signed checkpoint, with any cosignatures
    at: datetime | None = None  # when the log says that it was made, aware
    leaves: tuple[Leaf, ...] = ()  # what came after the head before, in order
    edge: Edge = _NOTHING  # of its tree, as it is told

    @classmethod
    def parse(cls, line: str) -> Self:
        """Return the seal of a line; a line that is none gives one that nobody signed."""
        try:
            told = json.loads(line)
            at = told["at"] and datetime.fromisoformat(told["at"])
            leaves = tuple(Leaf(UUID(event), unbase64(data)) for event, data in told["leaves"])
            size, peaks = told["edge"]
            edge = Edge(int(size), tuple(map(unbase64, peaks)))
        except (ValueError, KeyError, TypeError, AttributeError, BadProof):
            return cls(line)
        return cls(str(told["checkpoint"]), at if at and at.tzinfo else None, leaves, edge)

    def line(self) -> str:
        """Return the seal as one line, its end included."""
        told = {
            "checkpoint": self.note,
            "at": self.at and self.at.isoformat(),
            "leaves": [[str(leaf.event), base64(leaf.hash)] for leaf in self.leaves],
            "edge": [self.edge.size, [*map(base64, self.edge.peaks)]],
        }
        return json.dumps(told, separators=(",", ":")) + "\n"


def follow(seals: Iterable[Seal], *, log: Verifier, held: Seal | None) -> Iterator[Seal]:
    """Give the seals that are new to whoever holds one, each built of its own leaves alone.

    Those before the one `held`, the last that was followed, are passed over.

    Raises:
        BadProof: One is missing or not signed; its leaves do not lead from the tree held to the
            root that was signed; or the log is shorter than the tree held.
    """
    edge, size = held.edge if held else _NOTHING, 0
    for seal in chain([held] if held else [], seals):
        head = opened(seal.note, log)
        size = head.size if seal is not held else 0
        if head.size < edge.size:
            continue
        new = edge.grown(leaf.hash for leaf in seal.leaves) if head.size > edge.size else edge
        if new.size != head.size:
            raise BadProof(f"the seals between {edge.size} and {head.size} are missing")
        if new.root != head.root:
            raise BadProof(f"the leaves up to {head.size} do not give the root that was signed")
        if new is not edge:
            yield replace(seal, edge=new)
        edge = new
    if size < edge.size:
        raise BadProof(f"the log ends at {size}, it was {edge.size} events long")


def write_proof(first: int | tuple[int, bytes], proof: Sequence[bytes], note: str) -> str:
    """Return a proof for anybody to check, of growth or of an event.

    `first` is the size from which the tree grew; or the event's place and its entry.
    """
    if isinstance(first, int):
        told = [f"old {first}"]
    else:
        told = [_PROOF, f"extra {base64(first[1])}", f"index {first[0]}"]
    return "\n".join([*told, *map(base64, proof), "", note])


def check_growth(text: str, *, log: Verifier, held: Checkpoint) -> Checkpoint:
    """Return the head of a proof that it grew out of the head held; `BadProof` if it did not."""
    size, proof, note = _read(text)
    head = opened(note, log)
    if size != held.size:
        raise BadProof(f"the head that is held has size {held.size}, not {size}")
    check_consistency((held.size, held.root), (head.size, head.root), proof)
    return head


def check_proof(text: str, *, log: Verifier) -> tuple[Checkpoint, int, bytes]:
    """Return head, index and entry of a proof of an event; `BadProof` if it does not hold."""
    first, _, rest = text.partition("\n")
    extra, _, rest = rest.partition("\n")
    if first != _PROOF or not extra.startswith("extra "):
        raise BadProof("not a proof with its entry")
    entry = unbase64(extra.removeprefix("extra "))
    index, proof, note = _read(rest)
    head = opened(note, log)
    check_inclusion(leaf_hash(entry), index, head.size, head.root, proof)
    return head, index, entry


def _read(text: str) -> tuple[int, list[bytes], str]:
    """Return the number of the first line, the hashes after it, and the note behind them."""
    above, _, note = text.partition("\n\n")
    first, *lines = above.split("\n")
    number, proof = _NUMBER.fullmatch(first), [unbase64(line) for line in lines[:_MOST_HASHES]]
    if not number or len(lines) > _MOST_HASHES or any(len(each) != HASH_BYTES for each in proof):
        raise BadProof("not a proof")
    return int(number[2]), proof, note
