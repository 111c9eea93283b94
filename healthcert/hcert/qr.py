"""Bar codes: certificate text to a QR picture, and pictures back to text.

Sources: ISO/IEC 18004 (QR) and "Electronic Health Certificate Specification" 1.0.8 §4.2.2:
alphanumeric mode, error correction Q; printed with a diagonal of 35 to 60 mm. One mask is
used for all: scoring eight of them costs five times the code and reads no better.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import zxingcpp
from PIL import Image
from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.util import MODE_ALPHA_NUM, QRData

from healthcert.errors import BadPicture, PictureTooLarge
from healthcert.hcert import pictures

MOST_PIXELS = 16_000_000
MOST_BYTES = 10_000_000
QUIET = 4  # modules of white around the code; ISO/IEC 18004 asks for no fewer

_MASK = 0
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
    rows = _modules(text)
    side = len(rows) + 2 * QUIET
    path = "".join(
        f"M{start + QUIET} {y + QUIET}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for start, length in _runs(row)
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
    rows = _modules(text)
    side = len(rows) + 2 * QUIET
    dark = b"".join(bytes(row) for row in rows)
    code = Image.frombytes("L", (len(rows), len(rows)), dark).point([255, 0] + [0] * 254)
    picture = Image.new("L", (side, side), 255)
    picture.paste(code, (QUIET, QUIET))
    large = picture.resize((side * scale, side * scale), Image.Resampling.NEAREST)
    written = io.BytesIO()
    large.convert("1").save(written, "PNG")
    return written.getvalue()


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


def _modules(text: str) -> list[list[bool]]:
    """Return the modules of the smallest QR code for a text, row by row; true is dark."""
    code = QRCode(error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=_MASK)
    code.add_data(QRData(text.encode("ascii"), mode=MODE_ALPHA_NUM))
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.modules]


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Return where the dark runs of a row start, and how long each is."""
    runs, place = [], 0
    for dark, group in groupby(row):
        length = len(list(group))
        if dark:
            runs.append((place, length))
        place += length
    return runs
