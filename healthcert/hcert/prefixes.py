"""Many revoked hashes in little room: shortened, sorted, and searched as they were sent.

The first bits of a hash name a bucket; its bytes 5 to 7 are its tag. Tags lie one after the
other, bucket by bucket, rising within one. Beside them lies a string of bits: for each bucket a
one for each of its tags, then a zero. That is an Elias-Fano code (a Rice code with its halves
apart): 27 bits for each of ten million hashes, and nothing to decode before a search. Only how
many tags lie before each sixteenth bucket is counted when a table is made.

A hash that is not in a table passes for one that is with a chance of ``count / 2**(bits + 24)``.
Where that happens to a certificate that its issuer knows to be good, the revoked hash is taken
out of the table and listed whole.

Source: P. Elias, "Efficient storage and retrieval by content and address of static files", 1974.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cbor2

from healthcert.errors import BadBundle

HASH_BYTES, TAG_BYTES = 16, 3
BUCKET, TAG = slice(4), slice(4, 7)
FEWEST_BITS, MOST_BITS = 4, 32
GROUP = 16  # buckets
_ENCODED_GROUP = re.compile(rf"(?:1*+0){{{GROUP}}}")

Address = tuple[int, bytes]
"""Bucket and tag."""


@dataclass(frozen=True, slots=True)
class PrefixTable:
    """A set of hashes of 16 bytes, most of them shortened."""

    bits: int  # how many bits of a hash name its bucket, 4 to 32
    count: int  # how many tags there are
    high: bytes = field(repr=False)  # ones and zeros, the first in the highest bit
    low: bytes = field(repr=False)  # the tags, joined
    whole: bytes = field(default=b"", repr=False)  # hashes listed whole, joined
    _starts: array[int] = field(init=False, repr=False, compare=False)
    _listed: frozenset[bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look whether the pieces fit each other, and count the tags before each group.

        Time and memory grow with the bytes given alone.

        Raises:
            ValueError: They do not fit.
        """
        if not FEWEST_BITS <= self.bits <= MOST_BITS:
            raise ValueError("buckets of a strange number")
        total = self.count + (1 << self.bits)
        if len(self.low) != TAG_BYTES * self.count or len(self.high) != (total + 7) // 8:
            raise ValueError("pieces that differ in length")
        unused = 8 * len(self.high) - total
        number = int.from_bytes(self.high)
        if number.bit_count() != self.count or number & ((2 << unused) - 1):
            raise ValueError("ones and zeros that do not end as they should")
        groups = _ENCODED_GROUP.finditer(self.encoded(), 0, total)
        starts = (found.end() - (GROUP * group) for group, found in enumerate(groups, 1))
        object.__setattr__(self, "_starts", array("I", (0, *starts)))
        object.__setattr__(self, "_listed", frozenset(cut(self.whole, HASH_BYTES)))

    def __contains__(self, wanted: bytes) -> bool:
        """Whether a hash of 16 bytes is in the list, or by chance passes for one that is."""
        bucket = int.from_bytes(wanted[BUCKET]) >> (MOST_BITS - self.bits)
        group = bucket // GROUP
        start, end, tag = self._starts[group], 3 * self._starts[group + 1], wanted[TAG]
        place = self.low.find(tag, 3 * start, end)
        while place >= 0:
            if place % TAG_BYTES == 0 and self._lies_in(bucket, place // TAG_BYTES, start):
                return True
            place = self.low.find(tag, place + 1, end)
        return wanted in self._listed

    def addresses(self) -> Iterator[Address]:
        """All that is not listed whole, rising."""
        for group in range(self.groups):
            yield from self.group(group)

    @property
    def groups(self) -> int:
        """How many groups of sixteen buckets there are."""
        return len(self._starts) - 1

    def raw(self, group: int) -> tuple[bytes, int]:
        """Return the tags of a group of buckets, joined, and its ones and zeros as a number."""
        start, end = self._starts[group], self._starts[group + 1]
        return self.low[3 * start : 3 * end], self._ones(start + group * GROUP, end - start + GROUP)

    def group(self, group: int) -> list[Address]:
        """Return the addresses of a group of buckets, rising."""
        tags, ones = self.raw(group)
        bucket, found, place = group * GROUP, [], 0
        for one in f"{ones:0{len(tags) // TAG_BYTES + GROUP}b}":
            if one == "0":
                bucket += 1
            else:
                found.append((bucket, tags[place : place + TAG_BYTES]))
                place += TAG_BYTES
        return found

    def start(self, group: int) -> int:
        """Return how many tags lie before a group."""
        return self._starts[group]

    def encoded(self) -> str:
        """Return the ones and zeros as text, with what fills them up."""
        return f"{int.from_bytes(self.high):0{8 * len(self.high)}b}"

    def as_bytes(self) -> bytes:
        """Return the table as a part file, as `docs/bundle.md` says."""
        return cbor2.dumps([self.bits, self.count, self.high, self.low, self.whole])

    def _lies_in(self, bucket: int, place: int, start: int) -> bool:
        """Whether the tag at a place is one of this bucket's, and not of one beside it.

        Before it lie as many ones as tags and as many zeros as buckets; so it can only be there.
        """
        group_bit = start + (bucket & -GROUP)
        width = place + bucket + 1 - group_bit
        ones = self._ones(group_bit, width)
        return bool(ones & 1) and ones.bit_count() == place - start + 1

    def _ones(self, first: int, width: int) -> int:
        last = first + width - 1
        number = int.from_bytes(self.high[first >> 3 : (last >> 3) + 1]) >> (7 - (last & 7))
        return number & ((1 << width) - 1)


def read_table(data: bytes) -> PrefixTable:
    """Return the table in a part file, known to be the one that was named; else `BadBundle`."""
    try:
        bits, count, high, low, whole = map(_plain, cbor2.loads(data))
        return PrefixTable(bits, count, high, low, whole)
    except (cbor2.CBORDecodeError, TypeError, ValueError):
        raise BadBundle("a part that is no table of revocations") from None


def cut(joined: bytes, size: int) -> list[bytes]:
    """Return the equal pieces of joined bytes; `ValueError` if the last is cut short."""
    if len(joined) % size:
        raise ValueError("a piece that is cut short")
    return [joined[place : place + size] for place in range(0, len(joined), size)]


def packed(encoded: str) -> bytes:
    """Return ones and zeros as bytes, filled up with zeros."""
    size = (len(encoded) + 7) // 8
    return (int(encoded, 2) << (8 * size - len(encoded))).to_bytes(size)


def _plain(member: object) -> Any:  # noqa: ANN401 - the five differ
    if type(member) not in (int, bytes):
        raise TypeError("neither a number nor bytes")
    return member
