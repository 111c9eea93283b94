"""The guard: CBOR from strangers, read within fixed bounds or refused.

A general decoder does much that a certificate never needs: it compiles regular expressions
(tag 35), shares references (28, 29), builds numbers of any size (2 to 5). Here the bytes are
first walked without building anything, then decoded with every tag refused but those named.

Sources: RFC 8949; the "Electronic Health Certificate Specification" 1.0.8, section 6.3.
"""

from collections.abc import Callable
from typing import NoReturn

import cbor2

from healthcert.errors import MalformedCbor

MAX_DEPTH = 12
MAX_ITEMS = 1_024
"""Three times and fifteen times what any certificate in the public test data needs."""

_BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 2, 3, 4, 5, 6, 7  # major types
_FIRST_NO_KEY = _ARRAY << 5  # below it, a first byte begins a number, bytes or a text
_SHORT_TEXT = _TEXT << 5 | 24  # a text whose length, up to 255, is the next byte
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


def split(data: bytes, *, most: int) -> list[bytes]:
    """Return the items of a CBOR sequence (RFC 8742), each encoded as it was, none decoded.

    Args:
        data: Items within the bounds of `loads`, one after the other.
        most: How many of them there may be.

    Raises:
        MalformedCbor: The bytes are not such a sequence.
    """
    items: list[bytes] = []
    start = 0
    while start < len(data):
        try:
            end = _Walk(data).item(start, MAX_DEPTH)
        except IndexError:
            raise MalformedCbor("cut short") from None
        if end > len(data) or len(items) == most:
            raise MalformedCbor("cut short" if end > len(data) else f"more than {most} items")
        items.append(data[start:end])
        start = end
    return items


def _walk(data: bytes) -> None:
    """Refuse whatever is not one item within the bounds; the cost grows with `data` alone."""
    try:
        end = _Walk(data).item(0, MAX_DEPTH)
    except IndexError:
        raise MalformedCbor("cut short") from None
    if end != len(data):
        raise MalformedCbor("cut short" if end > len(data) else "bytes after the end")


class _Walk:
    """One walk over encoded bytes. Each method takes where something starts, and gives its end.

    An end may lie behind the last byte: the next look, or the last comparison, finds out.
    """

    __slots__ = ("_data", "_left")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_ITEMS - 1

    def item(self, start: int, depth: int) -> int:
        """Walk one item that may hold others, at most `depth` levels of them."""
        first = self._data[start]
        major, value = first >> 5, first & 31
        if major < _ARRAY or major == _SIMPLE:
            return self._leaf(start)
        end = start + 1
        if value >= _ONE_BYTE:
            value, end = self._argument(value, end)
        if not depth:
            raise MalformedCbor(f"more than {MAX_DEPTH} levels")
        if major == _MAP:
            return self._entries(end, value, depth - 1)
        return self._members(end, 1 if major == _TAG else value, depth - 1)

    def _leaf(self, start: int) -> int:
        """Walk one item that holds no other: a number, bytes, a text, true, false or null."""
        first = self._data[start]
        if size := _SIZES[first]:
            return start + size
        if first >> 5 not in (_BYTES, _TEXT):
            raise MalformedCbor("a simple value without a meaning")
        length, end = self._argument(first & 31, start + 1)
        return end + length

    def _key(self, start: int) -> int:
        if self._data[start] >= _FIRST_NO_KEY:
            raise MalformedCbor("a key that is neither number nor text nor bytes")
        return self._leaf(start)

    def _argument(self, size: int, start: int) -> tuple[int, int]:
        if size > _EIGHT_BYTES:
            raise MalformedCbor("an indefinite or reserved length")
        end = start + (1 << (size - _ONE_BYTE))
        return int.from_bytes(self._data[start:end], "big"), end

    def _spend(self, items: int) -> None:
        self._left -= items
        if self._left < 0:
            raise MalformedCbor(f"more than {MAX_ITEMS} items")

    def _members(self, end: int, count: int, depth: int) -> int:
        self._spend(count)
        data = self._data
        for _ in range(count):
            size = _SIZES[data[end]]
            end = end + size if size else self.item(end, depth)
        return end

    def _entries(self, end: int, count: int, depth: int) -> int:
        """Walk the entries of a map; that no key is there twice, the decoder sees to."""
        self._spend(2 * count)
        data = self._data
        for _ in range(count):
            size = _KEY_SIZES[data[end]]
            end = end + size if size else self._key(end)
            first = data[end]
            if size := _SIZES[first]:
                end += size
            elif first == _SHORT_TEXT:
                end += 2 + data[end + 1]
            else:
                end = self.item(end, depth)
        return end


def _size(first: int) -> int:
    """Return the size of an item if its first byte tells, else 0."""
    major, value = first >> 5, first & 31
    if major in (_ARRAY, _MAP, _TAG) or value > _EIGHT_BYTES:
        return 0
    if major == _SIMPLE and (value < _FALSE or value == _ONE_BYTE):
        return 0
    if major in (_BYTES, _TEXT):
        return 1 + value if value < _ONE_BYTE else 0
    return 1 if value < _ONE_BYTE else 1 + (1 << (value - _ONE_BYTE))


# Nearly all of a certificate is short texts and small numbers: one look at a table each.
_SIZES = bytes(map(_size, range(256)))
_KEY_SIZES = _SIZES[:_FIRST_NO_KEY] + bytes(256 - _FIRST_NO_KEY)
