"""The modules of a QR code for a certificate: alphanumeric mode, error correction Q, one mask.

Source: ISO/IEC 18004:2015, §7.4.4 (alphanumeric mode), §7.5 (error correction), §7.7.3 (order of
the modules). Whatever depends on the version alone (patterns, format, mask, block sizes) comes
from `qrcode`, once a version; a test holds the whole to what `qrcode` draws, module for module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product, zip_longest
from operator import itemgetter

from qrcode import QRCode
from qrcode.base import Polynomial, RSBlock, gexp, rs_blocks
from qrcode.constants import ERROR_CORRECT_Q

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_PAIRS = {
    a + b: f"{45 * i + j:011b}"
    for (i, a), (j, b) in product(enumerate(_LETTERS), enumerate(_LETTERS))
} | {a: f"{i:06b}" for i, a in enumerate(_LETTERS)}
_ALPHANUMERIC, _PADDING = "0010", "1110110000010001"
_LARGEST = 40
_MASK = 0  # any of the eight reads as well; scoring them all would cost most of the time
_TO_TEXT, _TO_BITS = bytes.maketrans(b"\0\1", b"01"), bytes.maketrans(b"01", b"\0\1")


def modules(text: str) -> list[str]:
    """Return the smallest QR code for a text, row by row: ``1`` is dark, ``0`` is light.

    Args:
        text: Capital letters, digits and ``space $%*+-./:`` only.

    Raises:
        ValueError: Another character is in it, or it is too long for a QR code.
    """
    try:
        data = "".join(_PAIRS[text[place : place + 2]] for place in range(0, len(text), 2))
    except KeyError:
        raise ValueError("a character that no alphanumeric QR code holds") from None
    version = next((_Version.of(n) for n in range(1, _LARGEST + 1) if _fits(n, len(data))), None)
    if version is None:
        raise ValueError(f"{len(text)} characters are too many for a QR code")
    head = f"{_ALPHANUMERIC}{len(text):0{_length_bits(version.number)}b}"
    return version.draw(_filled(head + data, version.capacity))


def _filled(bits: str, capacity: int) -> bytes:
    """Return bits as codewords: ended, padded to a byte, and filled up to what the code holds."""
    bits += "0" * min(4, capacity - len(bits))
    bits += "0" * (-len(bits) % 8)
    bits += (_PADDING * (capacity // 16 + 1))[: capacity - len(bits)]
    return int(bits, 2).to_bytes(capacity // 8, "big")


def _length_bits(version: int) -> int:
    return 9 if version < 10 else 11 if version < 27 else 13  # noqa: PLR2004 - table 3


@cache
def _capacity(version: int) -> int:
    return sum(8 * block.data_count for block in rs_blocks(version, ERROR_CORRECT_Q))


def _fits(version: int, bits: int) -> bool:
    return len(_ALPHANUMERIC) + _length_bits(version) + bits <= _capacity(version)


@dataclass(frozen=True, slots=True)
class _Version:
    """What all codes of one size share."""

    number: int  # 1 to 40
    side: int  # modules in a row
    capacity: int  # bits of data it holds
    blocks: list[RSBlock]  # how its codewords are divided
    blank: int  # its modules where every bit of data is 0, a byte each
    order: itemgetter[int]  # for each module, row by row, its bit; of patterns the last

    @staticmethod
    @cache
    def of(number: int) -> _Version:
        """Return a version; made once."""
        blocks = rs_blocks(number, ERROR_CORRECT_Q)
        size = sum(block.total_count for block in blocks)
        zeros, ones = (_drawn_by_library(number, bytes([byte]) * size) for byte in (0x00, 0xFF))
        side = 4 * number + 17
        bit_of = [8 * size] * len(zeros)
        shown = (place for place in _path(side) if zeros[place] != ones[place])
        for bit, place in enumerate(shown):
            bit_of[place] = bit
        blank = int.from_bytes(zeros, "big")
        return _Version(number, side, _capacity(number), blocks, blank, itemgetter(*bit_of))

    def draw(self, data: bytes) -> list[str]:
        """Return the rows of the code for some codewords of data."""
        words = _with_correction(data, self.blocks)
        bits = f"{int.from_bytes(words, 'big'):0{8 * len(words)}b}".encode().translate(_TO_BITS)
        shown = int.from_bytes(bytes(self.order(bits + b"\0")), "big") ^ self.blank
        text = shown.to_bytes(self.side**2, "big").translate(_TO_TEXT).decode("ascii")
        return [text[start : start + self.side] for start in range(0, len(text), self.side)]


def _path(side: int) -> Iterator[int]:
    """Give the modules in the order in which bits are laid: two columns at a time, up and down."""
    rows = range(side - 1, -1, -1)
    for right in [*range(side - 1, 6, -2), 5, 3, 1]:
        for row in rows:
            yield row * side + right
            yield row * side + right - 1
        rows = rows[::-1]


def _drawn_by_library(number: int, words: bytes) -> bytes:
    """Return the modules that `qrcode` draws for some codewords, a byte each."""
    code = QRCode(version=number, error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=_MASK)
    code.data_cache = list(words)
    code.makeImpl(test=False, mask_pattern=_MASK)
    return bytes(module for row in code.modules for module in row)


def _with_correction(data: bytes, blocks: list[RSBlock]) -> bytes:
    """Return data and Reed-Solomon codewords of all blocks, interleaved (§7.6)."""
    parts, checks, start = [], [], 0
    for block in blocks:
        part = data[start : start + block.data_count]
        start += block.data_count
        parts.append(part)
        checks.append(_correction(part, block.total_count - block.data_count))
    return b"".join(
        bytes(word for word in column if word is not None)
        for column in (*zip_longest(*parts), *zip_longest(*checks))
    )


def _correction(part: bytes, count: int) -> bytes:
    """Return the remainder of a block by the generator of that many codewords."""
    times, shift, rest = _multiples(count), 8 * (count - 1), 0
    keep = (1 << shift) - 1
    for word in part:
        rest = (rest & keep) << 8 ^ times[word ^ rest >> shift]
    return rest.to_bytes(count, "big")


@cache
def _multiples(count: int) -> list[int]:
    """Return every byte times the generator of that many codewords, its leading 1 left out."""
    generator = Polynomial([1], 0)
    for power in range(count):
        generator *= Polynomial([1, gexp(power)], 0)
    lower = [generator[place] for place in range(1, count + 1)]
    multiples = [0]
    for byte in range(1, 256):
        product = Polynomial([byte], 0) * Polynomial(lower, 0)
        multiples.append(int.from_bytes(bytes(product[place] for place in range(count)), "big"))
    return multiples
