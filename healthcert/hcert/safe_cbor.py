"""The guard: CBOR from strangers, read within fixed bounds or refused.

A general decoder does much that a certificate never needs: it compiles regular expressions
(tag 35), shares references (28, 29), builds numbers of any size (2 to 5). Here the bytes are
first walked without building anything, then decoded with every tag refused but those named.

Sources: RFC 8949; the "Electronic Health Certificate Specification" 1.0.8, section 6.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import cbor2

from healthcert.errors import MalformedCbor

MAX_DEPTH = 12
MAX_ITEMS = 1_024
"""Three times and fifteen times what any certificate in the public test data needs."""

_NEGATIVE, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 1, 3, 4, 5, 6, 7  # major types
_ONE_BYTE, _EIGHT_BYTES = 24, 27  # the argument follows in 1, 2, 4 or 8 bytes
_FALSE = 20  # below it: simple values without a meaning


class Tags(dict[int, Callable[[object, bool], object]]):
    """The tags that may occur, each with what becomes of its content; every other is refused.

    The decoder asks before it reads the content of a tag, and would go on to its own table if
    it were told of a missing key: so a missing tag is a decoding error.
    """

    def __missing__(self, tag: int) -> NoReturn:
        """Refuse a tag that is not in the table."""
        raise cbor2.CBORDecodeError(f"tag {tag}")


def _tagged(tag: int) -> Callable[[object, bool], object]:
    return lambda content, _immutable: cbor2.CBORTag(tag, content)


OUTER = Tags({18: _tagged(18), 61: _tagged(61)})
"""Around a signed message: COSE_Sign1 and CWT, kept as `CBORTag`."""
INNER = Tags({0: lambda content, _immutable: content})
"""Inside a certificate: a date-time, which stays the text it is."""


def loads(data: bytes, *, tags: Tags) -> object:
    """Return what one CBOR item says.

    Args:
        data: Exactly one item: definite lengths, at most 12 deep and 1,024 items, map keys
            numbers or texts or bytes and no two alike.
        tags: `OUTER` or `INNER`.

    Returns:
        Numbers, texts, bytes, lists and dicts; inside a tag tuples and mappings instead.

    Raises:
        MalformedCbor: The bytes are not such an item.
    """
    _walk(data)
    try:
        return cbor2.loads(
            data,
            semantic_decoders=tags,
            max_depth=MAX_DEPTH + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
    except cbor2.CBORDecodeError:
        raise MalformedCbor("a tag, a text or a key that is not allowed") from None


def dumps(value: object) -> bytes:
    """Return a value as CBOR: definite lengths, shortest numbers, members in the order given."""
    return cbor2.dumps(value)


def _walk(data: bytes) -> None:
    """Refuse whatever is not one item within the bounds; time and memory grow with `data` alone."""
    try:
        _, end = _item(data, 0, MAX_DEPTH, MAX_ITEMS)
    except IndexError:
        raise MalformedCbor("cut short") from None
    if end != len(data):
        raise MalformedCbor("cut short" if end > len(data) else "bytes after the end")


def _item(data: bytes, start: int, depth: int, left: int) -> tuple[int, int]:
    """Return how many items are left to spend, and where the item that starts here ends."""
    if left <= 0:
        raise MalformedCbor(f"more than {MAX_ITEMS} items")
    first = data[start]
    value = first & 31
    end = start + 1
    if value >= _ONE_BYTE:
        value, end = _argument(data, value, end)
    major = first >> 5
    if major <= _NEGATIVE:
        return left - 1, end
    if major <= _TEXT:
        return left - 1, end + value
    if major == _SIMPLE:
        return _simple(first & 31, left, end)
    if not depth:
        raise MalformedCbor(f"more than {MAX_DEPTH} levels")
    if major == _MAP:
        return _entries(data, end, value, depth - 1, left - 1)
    return _members(data, end, 1 if major == _TAG else value, depth - 1, left - 1)


def _argument(data: bytes, size: int, start: int) -> tuple[int, int]:
    if size > _EIGHT_BYTES:
        raise MalformedCbor("an indefinite or reserved length")
    end = start + (1 << (size - _ONE_BYTE))
    return int.from_bytes(data[start:end], "big"), end


def _simple(size: int, left: int, end: int) -> tuple[int, int]:
    if size < _FALSE or size == _ONE_BYTE:
        raise MalformedCbor("a simple value without a meaning")
    return left - 1, end


def _members(data: bytes, end: int, count: int, depth: int, left: int) -> tuple[int, int]:
    for _ in range(count):
        left, end = _item(data, end, depth, left)
    return left, end


def _entries(data: bytes, end: int, count: int, depth: int, left: int) -> tuple[int, int]:
    keys = set()
    for _ in range(count):
        start = end
        if data[start] >> 5 > _TEXT:
            raise MalformedCbor("a key that is neither number nor text nor bytes")
        left, end = _item(data, start, depth, left)
        keys.add(data[start:end])
        left, end = _item(data, end, depth, left)
    if len(keys) != count:
        raise MalformedCbor("a key that occurs twice")
    return left, end
