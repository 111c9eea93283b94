"""Making a table of shortened hashes, as they stream by, that wrongs none of our own."""

from collections.abc import Callable, Iterable
from math import ceil, log2

from healthcert.hcert.prefixes import (
    BUCKET,
    FEWEST_BITS,
    MOST_BITS,
    TAG,
    TAG_BYTES,
    Address,
    PrefixTable,
)

RATE = 4e-8
"""Chance, at most, that a hash which was not revoked is taken for one that was."""


def bits_for(count: int) -> int:
    """Return how many bits name a bucket, so that `count` hashes keep to `RATE`."""
    wanted = ceil(log2(max(1, count) / RATE)) - 8 * TAG_BYTES
    return min(max(wanted, FEWEST_BITS), MOST_BITS)


def build(
    revoked: Callable[[], Iterable[bytes]], *, bits: int, good: Iterable[bytes] = ()
) -> PrefixTable:
    """Return the table of some hashes that takes none of the good ones for revoked.

    Args:
        revoked: Gives the hashes, 16 bytes each, rising; asked again where some must be whole.
        bits: How many bits name a bucket; see `bits_for`.
        good: Hashes of the same kind that this issuer did not revoke; read once, not kept.

    Raises:
        ValueError: The hashes do not rise.
    """
    table = _built(revoked(), bits, frozenset())
    clashes = frozenset(_address(found, bits) for found in good if found in table)
    return _built(revoked(), bits, clashes) if clashes else table


def _built(revoked: Iterable[bytes], bits: int, whole: frozenset[Address]) -> PrefixTable:
    low, high, listed = bytearray(), bytearray(((1 << bits) + 7) // 8), []
    tags: set[bytes] = set()
    current, last, count = 0, b"", 0
    for found in revoked:
        if found <= last:
            raise ValueError("hashes that do not rise")
        last = found
        bucket = int.from_bytes(found[BUCKET]) >> (MOST_BITS - bits)
        tag = found[TAG]
        if whole and (bucket, tag) in whole:
            listed.append(found)
            continue
        if bucket != current:
            count = _close(current, tags, count, low, high)
            current = bucket
        tags.add(tag)
    count = _close(current, tags, count, low, high)
    size = (count + (1 << bits) + 7) // 8
    return PrefixTable(
        bits, count, bytes(high[:size].ljust(size, b"\0")), bytes(low), b"".join(listed)
    )


def _close(bucket: int, tags: set[bytes], count: int, low: bytearray, high: bytearray) -> int:
    """Write the tags of a bucket behind the others, forget them, and return how many there are."""
    for tag in sorted(tags):
        low += tag
        place = bucket + count
        if place >> 3 >= len(high):
            high += bytes(len(high))
        high[place >> 3] |= 0x80 >> (place & 7)
        count += 1
    tags.clear()
    return count


def _address(found: bytes, bits: int) -> Address:
    return int.from_bytes(found[BUCKET]) >> (MOST_BITS - bits), found[TAG]
