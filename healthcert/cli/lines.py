"""What strangers give to commands: lines, however long somebody makes one, and times."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

LONGEST = 64 * 1024  # bytes kept of a line; no code holds as much


def raw_lines(file: BinaryIO, longest: int, *, already: bytes = b"") -> Iterator[bytes]:
    """Give every line, the first bytes of one that is longer.

    `already` is what was read of it before; it may hold several lines and end within one.
    """
    *whole, part = already.split(b"\n")
    yield from (line[:longest] for line in whole)
    while line := part or file.readline(longest):
        part = b""
        while not line.endswith(b"\n") and (rest := file.readline(longest)):
            line = line[:longest] + rest
        yield line[:longest]


def lines(file: BinaryIO, longest: int = LONGEST, *, already: bytes = b"") -> Iterator[str]:
    """Give every line as text without its end; see `raw_lines`."""
    for line in raw_lines(file, longest, already=already):
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def moment(told: object) -> datetime:
    """Return a time of ISO 8601; UTC where it names no zone; `ValueError` if it is none."""
    found = datetime.fromisoformat(told if isinstance(told, str) else "")
    return found if found.tzinfo else found.replace(tzinfo=UTC)
