"""The revocation manifest in a bundle, and the lists behind it; `docs/bundle.md` has the form."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from healthcert.errors import BadBundle, BadCertificate
from healthcert.hcert.prefixes import PrefixTable, read_table
from healthcert.hcert.revocation import HASH_KINDS, Named, Part, RevocationList
from healthcert.hcert.safe_cbor import OUTER, dumps, loads

MOST_PARTS: Final = 3 * 1_024
MOST_BYTES: Final = 64 * 2**20
"""Of one file: twice what ten million revocations take."""
_SHA256_BYTES = 32


def plain(lists: RevocationList) -> dict[str, object]:
    """Return a manifest as a bundle holds it: numbers, texts and bytes."""
    return {
        "published": sorted(lists.published),
        "lists": {
            country: [_plain_part(part) for part in parts]
            for country, parts in sorted(lists.lists.items())
        },
    }


def manifest(revocation: Mapping[str, Any]) -> RevocationList:
    """Return the lists that a bundle names; none of them is at hand yet.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: It has another shape.
    """
    lists = {
        str(country): tuple(_part(part) for part in parts)
        for country, parts in revocation["lists"].items()
    }
    if sum(map(len, lists.values())) > MOST_PARTS:
        raise ValueError("more parts than there are issuers")
    return RevocationList(frozenset(revocation["published"]), lists)


def packed(lists: RevocationList) -> bytes:
    """Return the parts at hand as they lie behind a bundle: a CBOR sequence of byte strings."""
    return b"".join(dumps(lists.tables[digest].as_bytes()) for digest in sorted(lists.tables))


def unpacked(behind: list[bytes], lists: RevocationList) -> RevocationList:
    """Return lists with the parts that lie behind their bundle.

    Args:
        behind: Encoded items; nobody signed them, the manifest vouches for each by its hash.
        lists: What the manifest names.

    Raises:
        BadBundle: One of them is not named, or is there twice.
    """
    missing = {part.file.sha256: part for part in lists.missing()}
    tables = {}
    for item in behind:
        data = _content(item)
        digest = sha256(data).digest()
        if digest not in missing:
            raise BadBundle("behind the bundle lies something that it does not name")
        tables[digest] = part_of(data, missing.pop(digest))
    return lists.with_tables(tables)


def part_of(data: bytes, part: Part) -> PrefixTable:
    """Return the revocation list in a file; `BadBundle` if it is not the one that is named."""
    if Named.of(data) != part.file:
        raise BadBundle("a part that is not the one named")
    return read_table(data)


def _content(item: bytes) -> bytes:
    try:
        data = loads(item, tags=OUTER)
    except BadCertificate:
        data = None
    if not isinstance(data, bytes):
        raise BadBundle("behind the bundle lies something other than bytes")
    return data


def _plain_part(part: Part) -> dict[str, object]:
    named = {"kind": part.kind, "entries": part.entries, **_plain_file(part.file)}
    if part.changes is None:
        return named
    return named | {"changes": _plain_file(part.changes)}


def _plain_file(file: Named) -> dict[str, object]:
    return {"sha256": file.sha256, "size": file.size}


def _part(part: Mapping[str, Any]) -> Part:
    if part["kind"] not in HASH_KINDS:
        raise ValueError("a kind of hash that is not known")
    changes = part.get("changes")
    return Part(
        kind=part["kind"],
        entries=int(part["entries"]),
        file=_file(part),
        changes=None if changes is None else _file(changes),
    )


def _file(file: Mapping[str, Any]) -> Named:
    digest, size = file["sha256"], file["size"]
    if not isinstance(digest, bytes) or len(digest) != _SHA256_BYTES:
        raise TypeError("a hash that is no SHA-256")
    if type(size) is not int or not 0 < size <= MOST_BYTES:
        raise ValueError("a file of a strange size")
    return Named(digest, size)
