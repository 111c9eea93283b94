"""Lines of a stream, as they come, however long a stranger makes one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

LONGEST = 64 * 1024  # bytes kept of a line; no code holds as much


def lines(file: BinaryIO, *, already: bytes = b"") -> Iterator[str]:
    """Give every line without its end, the start of an endless one.

    Args:
        file: The stream.
        already: What was read of it before; may hold several lines and end within one.
    """
    *whole, part = already.split(b"\n")
    yield from map(_text, whole)
    if part:
        yield _text(part + _rest(file, LONGEST - len(part)))
    while line := file.readline(LONGEST):
        if not line.endswith(b"\n"):
            _rest(file, 0)
        yield _text(line)


def _rest(file: BinaryIO, keep: int) -> bytes:
    """Read to the end of the line and return its first bytes."""
    kept = b""
    while piece := file.readline(LONGEST):
        kept += piece[: max(0, keep - len(kept))]
        if piece.endswith(b"\n"):
            break
    return kept


def _text(line: bytes) -> str:
    return line[:LONGEST].decode("utf-8", "replace").rstrip("\r\n")
