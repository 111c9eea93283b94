"""A Merkle tree over hashed leaves, and proofs of what it holds and of what it grew from.

Sources: RFC 6962 §2.1 (hashes and proofs); RFC 9162 §2.1.3.2 and §2.1.4.2 (checking them).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from healthcert.errors import BadProof

HASH_BYTES = 32
EMPTY = sha256(b"").digest()  # the root of a tree without leaves


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry as a leaf, 32 bytes."""
    return sha256(b"\0" + entry).digest()


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: all that is needed to let it grow."""

    size: int = 0  # leaves of the tree
    peaks: tuple[bytes, ...] = ()  # roots of its whole subtrees, largest first: one a bit of size

    def grown(self, leaves: Iterable[bytes]) -> Self:
        """Return the edge after more leaf hashes."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            peak, bits = leaf, size
            while bits & 1:  # as `_node`, in place: this is most of what a seal costs here
                peak, bits = sha256(b"\1" + peaks.pop() + peak).digest(), bits >> 1
            peaks.append(peak)
            size += 1
        return type(self)(size, tuple(peaks))

    @property
    def root(self) -> bytes:
        """Return the root of the whole tree, 32 bytes."""
        if not self.peaks:
            return EMPTY
        *rest, right = self.peaks
        for left in reversed(rest):
            right = _node(left, right)
        return right


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from one leaf hash to the root, the leaf's sibling first."""
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if index < half:
        return [*inclusion_proof(leaves[:half], index), _root(leaves[half:])]
    return [*inclusion_proof(leaves[half:], index - half), _root(leaves[:half])]


def consistency_proof(leaves: Sequence[bytes], old: int, *, whole: bool = True) -> list[bytes]:
    """Return the hashes that show that a tree grew out of the tree of its first leaves.

    The older has `old` leaves; `whole`: these are all there are, so the checker has its root.
    """
    if old in {0, len(leaves)}:
        return [] if whole else [_root(leaves)]
    half = _half(len(leaves))
    if old <= half:
        return [*consistency_proof(leaves[:half], old, whole=whole), _root(leaves[half:])]
    return [*consistency_proof(leaves[half:], old - half, whole=False), _root(leaves[:half])]


def check_inclusion(
    leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Refuse (`BadProof`) unless a proof leads from the leaf hash at an index to the root."""
    if not 0 <= index < size:
        raise BadProof("the tree has no such place")
    found = leaf
    for sibling, on_left in _sides(index, size - 1, proof):
        found = _node(sibling, found) if on_left else _node(found, sibling)
    if found != root:
        raise BadProof("this entry is not in this tree at this place")


def check_consistency(
    old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]
) -> None:
    """Refuse (`BadProof`) unless the new tree, by size and root, grew out of the old one."""
    before, after = old[0], new[0]
    if before in {0, after}:
        if proof or (before and old != new):
            raise BadProof("the trees do not fit each other")
        return
    path = [old[1], *proof] if not before & (before - 1) else list(proof)
    if before > after or not path:
        raise BadProof("the tree is shorter than before, or the proof is empty")
    levels = (before & -before).bit_length() - 1  # levels below the last peak of the old tree
    left = right = path[0]
    for sibling, on_left in _sides(before - 1 >> levels, after - 1 >> levels, path[1:]):
        left = _node(sibling, left) if on_left else left
        right = _node(sibling, right) if on_left else _node(right, sibling)
    if (left, right) != (old[1], new[1]):
        raise BadProof("the new tree did not grow out of the old one")


def _sides(at: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Give each hash of a proof, and whether it stands left: from a place up to the root."""
    for sibling in proof:
        if not last:
            raise BadProof("the proof is too long")
        on_left = bool(at & 1 or at == last)
        while on_left and at and not at & 1:  # the right edge has no sibling on these levels
            at, last = at >> 1, last >> 1
        yield sibling, on_left
        at, last = at >> 1, last >> 1
    if last:
        raise BadProof("the proof is too short")


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def _root(leaves: Sequence[bytes]) -> bytes:
    return Edge().grown(leaves).root


def _half(size: int) -> int:
    """Return the largest power of two below a size of at least 2."""
    return 1 << (size - 1).bit_length() - 1
