"""From one table of revocations to a later one, by what changed alone.

A file of changes says of each address that changed since some table whether it is there now. So
it leads from that table, and from every one between, to the newest; which of them a verifier
holds need not be known. What it gets is held against the hash that a manifest names.
"""

from bisect import bisect_left
from collections.abc import Iterable

import cbor2

from healthcert.errors import BadBundle
from healthcert.hcert.prefixes import GROUP, TAG_BYTES, Address, PrefixTable, cut, packed

_BUCKET_BYTES = 4
_SMALL, _SHARE = 4_096, 32  # changes may take so many bytes, or such a share of the table
_NO_CHANGES = (cbor2.CBORDecodeError, IndexError, TypeError, ValueError)


def changes(old: PrefixTable, new: PrefixTable, before: bytes | None = None) -> bytes | None:
    """Return the file that leads from an old table to a new one.

    None where there is nothing to gain: their buckets differ, or it is no smaller than the table.

    Args:
        old: The table that was the newest.
        new: The one that is now.
        before: The file that led to the old one. What it says is told on, so that the new file
            leads from wherever that one did, until it takes too much room.
    """
    if old.bits != new.bits:
        return None
    touched = {
        address
        for group in range(old.groups)
        if old.raw(group) != new.raw(group)
        for address in {*old.group(group)} ^ {*new.group(group)}
    }
    whole = len(new.as_bytes())
    if before is not None:
        data = _file(touched | _touched(before), new)
        if len(data) < min(whole, max(_SMALL, whole // _SHARE)):
            return data
    data = _file(touched, new)
    return data if len(data) < whole else None


def changed(old: PrefixTable, data: bytes) -> PrefixTable:
    """Return the table that follows an old one, if the changes are for it; else some other.

    Args:
        old: A table that the changes lead from.
        data: What `changes` gave; must be known to be the file that was named.

    Raises:
        BadBundle: It is no such file, or cannot be for this table.
    """
    try:
        here, gone, whole = cbor2.loads(data)
        edits = [(address, True) for address in _addresses(here)]
        edits += [(address, False) for address in _addresses(gone)]
        return _edited(old, sorted(edits), whole)
    except _NO_CHANGES:
        raise BadBundle("changes that do not fit the part they are for") from None


def _file(touched: Iterable[Address], new: PrefixTable) -> bytes:
    here: list[Address] = []
    gone: list[Address] = []
    for address in sorted(touched):
        (here if _place(new, address)[1] else gone).append(address)
    return cbor2.dumps([_joined(here), _joined(gone), new.whole])


def _touched(data: bytes) -> set[Address]:
    here, gone, _ = cbor2.loads(data)
    return {*_addresses(here), *_addresses(gone)}


def _edited(old: PrefixTable, edits: Iterable[tuple[Address, bool]], whole: bytes) -> PrefixTable:
    """Return the table after rising edits, each an address and whether it is to be there.

    What lies between two edits is copied as it is. In the ones and zeros, before a tag lie as
    many ones as tags and as many zeros as buckets.
    """
    encoded, tags, ones = old.encoded(), [], []
    place, bit, count = 0, 0, old.count
    for (bucket, tag), is_here in edits:
        at, found = _place(old, (bucket, tag))
        if found == is_here:
            continue
        tags += [old.low[TAG_BYTES * place : TAG_BYTES * at], tag if is_here else b""]
        ones += [encoded[bit : at + bucket], "1" if is_here else ""]
        place, bit = (at, at + bucket) if is_here else (at + 1, at + bucket + 1)
        count += 1 if is_here else -1
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
