"""What travels between log, witness and auditor: seals, requests to a witness, proofs.

A seal is one line of JSON: a signed head, when it was made, and the leaves it added. The
request is that of c2sp.org/tlog-witness (add-checkpoint), the proof is c2sp.org/tlog-proof@v1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
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


class Leaf(NamedTuple):
    """An event as the tree holds it: its identifier, and the hash of its entry."""

    event: UUID
    hash: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """A signed head and what it added.

    Attributes:
        note: The signed checkpoint, with any cosignatures.
        at: When the log says that it was made, aware; None where it was not told.
        leaves: What came after the head before, in order; empty where only the head is kept.
    """

    note: str
    at: datetime | None = None
    leaves: tuple[Leaf, ...] = ()

    @property
    def size(self) -> int:
        """Return the size that its head tells, believed or not.

        Raises:
            BadProof: It tells none.
        """
        try:
            return int(self.note.split("\n")[1])
        except (LookupError, ValueError):
            raise BadProof("the head of a seal tells no size") from None

    def line(self) -> str:
        """Return the seal as one line, its end included."""
        leaves = [[str(leaf.event), base64(leaf.hash)] for leaf in self.leaves]
        told = {"checkpoint": self.note, "at": self.at and self.at.isoformat(), "leaves": leaves}
        return json.dumps(told, separators=(",", ":")) + "\n"


def read_seals(lines: Iterable[str]) -> Iterator[Seal]:
    """Give the seals of lines; whether they are signed is not looked at.

    Raises:
        BadProof: A line is none.
    """
    for number, told in enumerate(lines, start=1):
        try:
            found = json.loads(told)
            leaves = tuple(Leaf(UUID(event), unbase64(data)) for event, data in found["leaves"])
            at = found["at"] and datetime.fromisoformat(found["at"])
            seal = Seal(str(found["checkpoint"]), at, leaves)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BadProof(f"line {number} is no seal") from None
        if seal.at and seal.at.tzinfo is None:
            raise BadProof(f"line {number} is no seal: its time has no zone")
        yield seal


def write_request(old_size: int, proof: Sequence[bytes], note: str) -> str:
    """Return the request for a cosignature: from which size, the proof, the signed head."""
    return "".join(f"{line}\n" for line in (f"old {old_size}", *map(base64, proof), "")) + note


def judge_request(
    request: str, *, log: Verifier, held: Checkpoint | None
) -> tuple[Checkpoint, str]:
    """Return the head that a witness may cosign now, and its note.

    Raises:
        BadProof: The log did not sign it; it does not begin at the size held (the message says
            which that is); or the tree is shorter, or did not grow out of the one held.
    """
    before, proof, note = _read(request)
    new = opened(note, log)
    size = held.size if held else 0
    if before != size:
        raise BadProof(f"this witness holds size {size}, not {before}")
    if held:
        check_consistency((held.size, held.root), (new.size, new.root), proof)
    elif proof:
        raise BadProof("a proof from nothing has no lines")
    return new, note


def judge_seals(
    seals: Iterable[Seal], *, log: Verifier, edge: Edge, witnessed: Callable[[Seal], None]
) -> Edge:
    """Return the edge of the tree after all seals, each made of its own leaves alone.

    Args:
        seals: In order; those that end within the tree held are passed over.
        log: Who must have signed each.
        edge: Of the tree held.
        witnessed: Is told of each seal that was taken.

    Raises:
        BadProof: One is missing, is not signed, or its leaves do not give its root.
    """
    for seal in seals:
        head = opened(seal.note, log)
        if head.size <= edge.size:
            continue
        if head.size - len(seal.leaves) != edge.size:
            raise BadProof(f"the seals between {edge.size} and {head.size} are missing")
        edge = edge.grown(leaf.hash for leaf in seal.leaves)
        if edge.root != head.root:
            raise BadProof(f"the leaves up to {head.size} do not give the root that was signed")
        witnessed(seal)
    return edge


def write_proof(entry: bytes, index: int, proof: Sequence[bytes], note: str) -> str:
    """Return a proof that an entry is in a log, for anybody to check; the entry goes with it."""
    lines = (_PROOF, f"extra {base64(entry)}", f"index {index}", *map(base64, proof), "")
    return "".join(f"{line}\n" for line in lines) + note


def check_proof(text: str, *, log: Verifier) -> tuple[Checkpoint, int, bytes]:
    """Return the head, the index and the entry of a proof that holds.

    Raises:
        BadProof: It does not hold, the log did not sign its head, or it brings no entry.
    """
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
        raise BadProof("not a proof or a request for a cosignature")
    return int(number[2]), proof, note
