"""The text of a certificate's barcode, and the signed bytes in it.

    COSE bytes <-> zlib (RFC 1950) <-> base45 (RFC 9285) <-> "HC1:" before it

Sources: "Electronic Health Certificate Specification" 1.0.8, section 4.2; RFC 9285; RFC 1950.
"""

from __future__ import annotations

import re
import zlib

from healthcert.errors import MalformedBase45, MalformedPrefix, MalformedZlib, NotACertificate

PREFIX = "HC1:"
MAX_TEXT = 4_296
"""Characters: what the largest QR code holds in alphanumeric mode (ISO/IEC 18004)."""
MAX_COSE = 16 * 1024
"""Bytes after inflation; the largest in the public test data is 870."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_BASE = len(_ALPHABET)
_BASE2 = _BASE * _BASE
_BYTE = 0xFF
_NO_DIGIT = 0xFF
_LANE, _WIDE_LANE = 4, 5
# Division by multiplication: the byte above 32 (24) bits is the quotient, exact for every number
# that is divided by it here.
_BY_BASE2, _BY_BASE = -(-(1 << 32) // _BASE2), -(-(1 << 24) // _BASE)
_LETTERS = _ALPHABET.encode("ascii").ljust(256)
_DIGITS = bytes(_ALPHABET.find(chr(code)) & _NO_DIGIT for code in range(256))  # -1 becomes 255

# Another version of the prefix ("HC2:"), or ours in the wrong case or with a blank before it.
_OTHER_PREFIX = re.compile(r"\s*H[A-Z]\d:", re.IGNORECASE | re.ASCII)
_ZLIB_STARTS = ("NC", "6B")  # bytes 78 9c and 78 da, as base45: a certificate without its prefix


def encode(cose: bytes) -> str:
    """Return the barcode text of a signed message, for a QR code in alphanumeric mode."""
    return PREFIX + b45encode(zlib.compress(cose, 9))


def decode(text: str) -> bytes:
    """Return the signed message in a barcode text, at most 16 KiB; nothing in it is trusted yet.

    Raises:
        NotACertificate: The text is no certificate at all, or longer than a QR code can be.
        MalformedPrefix: It looks like one, but does not begin with ``HC1:``.
        MalformedBase45: What follows the prefix is not base45.
        MalformedZlib: What that holds is not one complete zlib stream.
    """
    return inflate(b45decode(strip_prefix(text)))


def strip_prefix(text: str) -> str:
    """Return what follows ``HC1:``.

    Raises:
        NotACertificate: The text is no certificate at all, or longer than a QR code can be.
        MalformedPrefix: It looks like one, but has another prefix or none.
    """
    if len(text) > MAX_TEXT:
        raise NotACertificate(f"more than {MAX_TEXT} characters")
    if text.startswith(PREFIX):
        return text[len(PREFIX) :]
    if _OTHER_PREFIX.match(text) or text.startswith(_ZLIB_STARTS):
        raise MalformedPrefix(f"the text does not begin with {PREFIX}")
    raise NotACertificate("not the text of a health certificate")


def b45encode(data: bytes) -> str:
    """Return bytes as base45 text (RFC 9285 section 4)."""
    even = len(data) & ~1
    text = _digits_of_pairs(data[:even]).translate(_LETTERS).decode("ascii")
    if len(data) == even:
        return text
    return text + _ALPHABET[data[-1] % _BASE] + _ALPHABET[data[-1] // _BASE]


def _digits_of_pairs(data: bytes) -> bytes:
    """Return three digits for every two bytes, all divisions done at once in long numbers.

    Each pair has a lane of five bytes, which no product with it can leave. A table of all pairs
    is quicker alone, and slower among other work: it does not stay in the processor's cache.
    """
    count = len(data) // 2
    lanes = bytearray(_WIDE_LANE * count)
    lanes[3::_WIDE_LANE], lanes[4::_WIDE_LANE] = data[0::2], data[1::2]
    pairs = int.from_bytes(lanes, "big")
    thirds = (pairs * _BY_BASE2).to_bytes(len(lanes), "big")[0::_WIDE_LANE]
    rests = pairs - _BASE2 * _spread(thirds)
    seconds = (rests * _BY_BASE).to_bytes(len(lanes), "big")[1::_WIDE_LANE]
    firsts = (rests - _BASE * _spread(seconds)).to_bytes(len(lanes), "big")[4::_WIDE_LANE]
    digits = bytearray(3 * count)
    digits[0::3], digits[1::3], digits[2::3] = firsts, seconds, thirds
    return bytes(digits)


def _spread(digits: bytes) -> int:
    """Return digits as one number, each in a lane of its own."""
    lanes = bytearray(_WIDE_LANE * len(digits))
    lanes[4::_WIDE_LANE] = digits
    return int.from_bytes(lanes, "big")


def b45decode(text: str) -> bytes:
    """Return the bytes of a base45 text (RFC 9285 section 4).

    Raises:
        MalformedBase45: A character is not in the alphabet, the length leaves a remainder of
            one, or three (two) characters say more than two bytes (one byte) can hold.
    """
    try:
        digits = text.encode("latin-1").translate(_DIGITS)
    except UnicodeEncodeError:
        raise MalformedBase45("a character outside the alphabet") from None
    if _NO_DIGIT in digits:
        raise MalformedBase45("a character outside the alphabet")
    rest = len(digits) % 3
    whole = len(digits) - rest
    data = _whole_pairs(digits[:whole])
    return data + _last_byte(digits[whole:]) if rest else data


def _whole_pairs(digits: bytes) -> bytes:
    """Return two bytes for every three digits, all sums done at once in one long number.

    Each sum has a lane of four bytes, which it cannot leave: at most 91,124.
    """
    count = len(digits) // 3
    lanes, total = bytearray(_LANE * count), 0
    for place, weight in enumerate((1, _BASE, _BASE2)):
        lanes[_LANE - 1 :: _LANE] = digits[place::3]
        total += weight * int.from_bytes(lanes, "big")
    sums = total.to_bytes(_LANE * count, "big")
    if sums[1::_LANE].count(0) != count:
        raise MalformedBase45("three characters say more than two bytes hold")
    data = bytearray(2 * count)
    data[0::2], data[1::2] = sums[2::_LANE], sums[3::_LANE]
    return bytes(data)


def _last_byte(digits: bytes) -> bytes:
    if len(digits) == 1:
        raise MalformedBase45("one character is left over")
    value = digits[0] + _BASE * digits[1]
    if value > _BYTE:
        raise MalformedBase45("two characters say more than one byte holds")
    return bytes((value,))


def inflate(data: bytes) -> bytes:
    """Return what one complete zlib stream holds, never using more than 16 KiB for it.

    Raises:
        MalformedZlib: The stream is broken, cut short, followed by anything, or too large.
    """
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, MAX_COSE + 1)
    except zlib.error:
        raise MalformedZlib("not a zlib stream") from None
    if len(found) > MAX_COSE:
        raise MalformedZlib(f"more than {MAX_COSE} bytes")
    if not stream.eof:
        raise MalformedZlib("the zlib stream is cut short")
    if stream.unused_data:
        raise MalformedZlib("bytes after the zlib stream")
    return found
