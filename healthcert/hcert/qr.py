"""Bar codes: certificate text to a QR picture, and pictures back to text.

Sources: ISO/IEC 18004 (QR), ISO/IEC 15948 §9.2 and §11 (PNG), and "Electronic Health Certificate
Specification" 1.0.8 §4.2.2: alphanumeric mode, error correction Q; printed with a diagonal of 35
to 60 mm.
"""

import io
import re
import struct
import zlib
from dataclasses import dataclass
from typing import Literal

import zxingcpp
from PIL import Image

from healthcert.errors import BadPicture, PictureTooLarge
from healthcert.hcert import pictures
from healthcert.hcert.qr_modules import modules

MOST_PIXELS = 16_000_000
MOST_BYTES = 10_000_000
QUIET = 4  # modules of white around the code; ISO/IEC 18004 asks for no fewer

_PNG = b"\x89PNG\r\n\x1a\n"
_DARK = re.compile("1+")
_SHADES = {"1": "0", "0": "1"}  # as a picture of one bit has them: 0 is black
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError)
_WANTED = (zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.AztecCode)
_Kind = Literal["QR", "Aztec"]


@dataclass(frozen=True, slots=True)
class Code:
    """One code found in a picture: which kind it is, and what it says."""

    kind: _Kind
    text: str


def svg(text: str) -> str:
    """Return a QR code as one SVG element, black on white, a module a unit of its view box.

    It has no width of its own: the page or the paper gives it one (35 mm at least), and the
    words that say what it is.

    Args:
        text: Capital letters, digits and ``space $%*+-./:`` only, as every certificate is.

    Raises:
        ValueError: Another character is in it, or it is too long for a QR code.
    """
    rows = modules(text)
    side = len(rows) + 2 * QUIET
    path = "".join(
        f"M{run.start() + QUIET} {y}h{len(run[0])}v1h-{len(run[0])}z"
        for y, row in enumerate(rows, start=QUIET)
        for run in _DARK.finditer(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path d="{path}"/></svg>'
    )


def png(text: str, *, scale: int = 8) -> bytes:
    """Return a QR code as a black and white PNG.

    Args:
        text: As for `svg`.
        scale: Pixels a module.

    Raises:
        ValueError: As for `svg`.
    """
    rows = modules(text)
    side = (len(rows) + 2 * QUIET) * scale
    light, margin = "1" * (QUIET * scale), "1" * (-side % 8)
    bits = (light + "".join(_SHADES[module] * scale for module in row) + light for row in rows)
    lines = [int(line + margin, 2).to_bytes((side + 7) // 8, "big") for line in bits]
    blank = b"\xff" * ((side + 7) // 8)
    quiet = _as_written(blank, QUIET * scale)
    data = quiet + b"".join(_as_written(line, scale) for line in lines) + quiet
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)  # one bit a pixel, shades of grey
    parts = _chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(data, 1)), _chunk(b"IEND", b"")
    return _PNG + b"".join(parts)


def _as_written(line: bytes, times: int) -> bytes:
    """Return a line of pixels so many times: once in full, then as no different from above."""
    return b"\0" + line + (b"\2" + bytes(len(line))) * (times - 1)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def read(image: bytes) -> list[Code]:
    """Return every QR and Aztec code of a picture; an empty list where there is none.

    Args:
        image: A PNG, JPEG, GIF (its first frame) or WebP file.

    Raises:
        PictureTooLarge: Over 10 MB, or over 16 megapixels by its header; nothing was decoded.
        BadPicture: It is no such picture, or a broken one.
    """
    if len(image) > MOST_BYTES:
        raise PictureTooLarge
    _refuse_large(pictures.size(image))
    try:
        with Image.open(io.BytesIO(image), formats=_FORMATS) as opened:
            _refuse_large(opened.size)  # where its reader finds another size than we did
            flat = _on_white(opened)
    except Image.DecompressionBombError:  # a frame far larger than the picture it is of
        raise PictureTooLarge from None
    except _UNREADABLE:
        raise BadPicture("the picture is broken") from None
    found = zxingcpp.read_barcodes(flat, formats=_WANTED, text_mode=zxingcpp.TextMode.Plain)
    return [Code(_kind(code.format), code.text) for code in found]


def _refuse_large(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        raise PictureTooLarge


def _on_white(picture: Image.Image) -> Image.Image:
    """Return a picture in grey, with white where it was transparent."""
    if not picture.has_transparency_data:
        return picture.convert("L")
    coloured = picture.convert("RGBA")
    white = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(white, coloured).convert("L")


def _kind(found: zxingcpp.BarcodeFormat) -> _Kind:
    return "Aztec" if "Aztec" in str(found) else "QR"
