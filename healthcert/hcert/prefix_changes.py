"""From one table of revocations to the next, by what changed alone.

A verifier that holds the table before fetches some bytes for each change, and has the same file
as if it had fetched all of it: the manifest's hash of the whole file is what it is held against.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

import cbor2

from healthcert.errors import BadBundle
from healthcert.hcert.prefixes import GROUP, TAG_BYTES, Address, PrefixTable, cut, packed

_BUCKET_BYTES = 4


def changes(old: PrefixTable, new: PrefixTable) -> bytes | None:
    """Return the file that makes the new table of the old one.

    None where there is nothing to gain: their buckets differ, or it is no smaller than the table.
    """
    if old.bits != new.bits:
        return None
    added: list[Address] = []
    removed: list[Address] = []
    for group in range(old.groups):
        if old.raw(group) != new.raw(group):
            before, after = set(old.group(group)), set(new.group(group))
            added += sorted(after - before)
            removed += sorted(before - after)
    data = cbor2.dumps([_joined(added), _joined(removed), new.whole])
    return data if len(data) < len(new.as_bytes()) else None


def changed(old: PrefixTable, data: bytes) -> PrefixTable:
    """Return the table that follows an old one.

    Args:
        old: The table the changes were made for.
        data: What `changes` gave; must be known to be the file that was named.

    Raises:
        BadBundle: It is no such file, or does not fit the table.
    """
    try:
        added, removed, whole = cbor2.loads(data)
        edits = [(address, True) for address in _addresses(added)]
        edits += [(address, False) for address in _addresses(removed)]
        return _edited(old, sorted(edits), whole)
    except (cbor2.CBORDecodeError, IndexError, TypeError, ValueError):
        raise BadBundle("changes that do not fit the part they are for") from None


def _edited(old: PrefixTable, edits: Iterable[tuple[Address, bool]], whole: bytes) -> PrefixTable:
    """Return the table after rising edits, each an address and whether it is new.

    What lies between two edits is copied as it is. In the ones and zeros, before a tag lie as
    many ones as tags and as many zeros as buckets.
    """
    encoded, tags, ones = old.encoded(), [], []
    place, bit, count = 0, 0, old.count
    for (bucket, tag), is_new in edits:
        at, found = _place(old, (bucket, tag))
        if found == is_new:
            raise ValueError("an address that is there already, or not at all")
        tags += [old.low[TAG_BYTES * place : TAG_BYTES * at], tag if is_new else b""]
        ones += [encoded[bit : at + bucket], "1" if is_new else ""]
        place, bit = (at, at + bucket) if is_new else (at + 1, at + bucket + 1)
        count += 1 if is_new else -1
    tags.append(old.low[TAG_BYTES * place :])
    ones.append(encoded[bit : old.count + (1 << old.bits)])
    return PrefixTable(old.bits, count, packed("".join(ones)), b"".join(tags), whole)


def _place(table: PrefixTable, address: Address) -> tuple[int, bool]:
    """Return how many tags lie before an address, and whether it is there."""
    group = address[0] // GROUP
    listed = table.group(group)
    within = bisect_left(listed, address)
    return table.start(group) + within, listed[within : within + 1] == [address]


def _joined(addresses: Iterable[Address]) -> bytes:
    return b"".join(bucket.to_bytes(_BUCKET_BYTES) + tag for bucket, tag in addresses)


def _addresses(joined: bytes) -> list[Address]:
    pieces = cut(joined, _BUCKET_BYTES + TAG_BYTES)
    return [(int.from_bytes(piece[:_BUCKET_BYTES]), piece[_BUCKET_BYTES:]) for piece in pieces]
