"""The text of a certificate's barcode, and the signed bytes in it.

    COSE bytes <-> zlib (RFC 1950) <-> base45 (RFC 9285) <-> "HC1:" before it

Sources: "Electronic Health Certificate Specification" 1.0.8, section 4.2; RFC 9285; RFC 1950.
"""

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
_SIGNATURE = 66  # bytes at the end of a message: of ES256, and the two that announce it
_NO_DIGIT = 0xFF
_LETTERS = bytes(ord(_ALPHABET[value % _BASE]) for value in range(256))
_CARRIES = bytes(value // _BASE for value in range(256))
# The three digits that either byte of a pair adds to: the first weighs 256, the second 1.
_HIGH = [
    bytes(256 * byte // weight % _BASE for byte in range(256)) for weight in (1, _BASE, _BASE2)
]
_LOW = [bytes(byte // weight % _BASE for byte in range(256)) for weight in (1, _BASE)]
_DIGITS = bytes(_ALPHABET.find(chr(code)) & _NO_DIGIT for code in range(256))  # -1 becomes 255

# Another version of the prefix ("HC2:"), or ours in the wrong case or with a blank before it.
_OTHER_PREFIX = re.compile(r"\s*H[A-Z]\d:", re.IGNORECASE | re.ASCII)
_ZLIB_STARTS = ("NC", "6B")  # bytes 78 9c and 78 da, as base45: a certificate without its prefix


def encode(cose: bytes) -> str:
    """Return the barcode text of a signed message, for a QR code in alphanumeric mode."""
    return PREFIX + b45encode(_deflated(cose))


def _deflated(cose: bytes) -> bytes:
    """Return one zlib stream (RFC 1950), the signature in a block of its own.

    It looks random: a code of letters made for it and the claims together fits neither. Apart,
    the stream of a usual certificate is 10 bytes shorter, and made in two thirds of the time.
    """
    stream = zlib.compressobj(9)
    claims = stream.compress(cose[:-_SIGNATURE]) + stream.flush(zlib.Z_BLOCK)
    return claims + stream.compress(cose[-_SIGNATURE:]) + stream.flush()


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
    text = _digits_of_pairs(data[:even:2], data[1::2]).translate(_LETTERS).decode("ascii")
    if len(data) == even:
        return text
    return text + _ALPHABET[data[-1] % _BASE] + _ALPHABET[data[-1] // _BASE]


def _digits_of_pairs(high: bytes, low: bytes) -> bytearray:
    """Return three digits for every two bytes; those above 44 still owe the next their carry.

    Each byte alone is a look at a table; what they add up to is added in one long number, a byte
    a pair, which no sum can leave: at most 2 * 44 and a carry. One table of all pairs is quicker
    alone, and slower among other work: it does not stay in the processor's cache.
    """
    digits = bytearray(3 * len(low))
    digits[0::3] = found = _sums(high.translate(_HIGH[0]), low.translate(_LOW[0]))
    carries = found.translate(_CARRIES)
    digits[1::3] = found = _sums(high.translate(_HIGH[1]), low.translate(_LOW[1]), carries)
    digits[2::3] = _sums(high.translate(_HIGH[2]), found.translate(_CARRIES))
    return digits


def _sums(one: bytes, two: bytes, three: bytes = b"") -> bytes:
    """Return the sums of bytes that stand at the same place, none of them above 255."""
    total = int.from_bytes(one) + int.from_bytes(two) + int.from_bytes(three)
    return total.to_bytes(len(one))


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

    Its lanes are the three digits themselves, and no sum can leave one: at most 91,124.
    """
    count = len(digits) // 3
    number = int.from_bytes(digits)
    lanes = int.from_bytes(b"\x00\x00\xff" * count)
    total = (number >> 16 & lanes) + _BASE * (number >> 8 & lanes) + _BASE2 * (number & lanes)
    sums = total.to_bytes(3 * count)
    if sums[0::3].count(0) != count:
        raise MalformedBase45("three characters say more than two bytes hold")
    data = bytearray(2 * count)
    data[0::2], data[1::2] = sums[1::3], sums[2::3]
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
