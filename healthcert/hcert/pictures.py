"""How large a picture says it is, read from its first bytes before anything is decoded.

Sources: PNG (ISO/IEC 15948) §11.2.2, GIF89a §18, JPEG (ITU-T T.81) annex B, WebP (RFC 9649) §2.
"""

import struct

from healthcert.errors import BadPicture

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_MOST_SEGMENTS = 1_000  # of a JPEG, before its frame; cameras write some tens
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF markers, tables left out


def is_picture(data: bytes) -> bool:
    """Return whether the first bytes are those of a PNG, JPEG, GIF or WebP picture."""
    return _kind(data) != ""


def begins_like_a_picture(data: bytes) -> bool:
    """Return whether these first few bytes may be those of a picture; more may tell otherwise."""
    return data.startswith((_PNG[:4], _JPEG, b"GIF8", b"RIFF"))


def size(data: bytes) -> tuple[int, int]:
    """Return the pixels, wide and high, that a picture's header promises; `BadPicture` if none."""
    readers = {"PNG": _png, "GIF": _gif, "JPEG": _jpeg, "WEBP": _webp}
    kind = _kind(data)
    if not kind:
        raise BadPicture("not a PNG, JPEG, GIF or WebP picture")
    try:
        return readers[kind](data)
    except (struct.error, IndexError):
        raise BadPicture("the header of the picture is cut short") from None


def _kind(data: bytes) -> str:
    if data.startswith(_PNG):
        return "PNG"
    if data.startswith(_JPEG):
        return "JPEG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def _png(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _jpeg(data: bytes) -> tuple[int, int]:
    place = 2
    for _ in range(_MOST_SEGMENTS):  # one after the other, until the frame header
        if data[place] != 0xFF:  # noqa: PLR2004 - every marker begins with it
            break
        marker = data[place + 1]
        if marker == 0xFF:  # noqa: PLR2004 - a fill byte before the marker
            place += 1
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        else:
            place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    raise BadPicture("not a JPEG picture")


def _webp(data: bytes) -> tuple[int, int]:
    if data[12:16] == b"VP8X":  # the canvas, each side less one in 24 bits
        sides = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return next(sides), next(sides)
    if data[12:16] == b"VP8L":  # lossless: 14 bits each, less one
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF
