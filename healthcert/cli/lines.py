"""What strangers give to commands: lines, however long somebody makes one, JSON and times."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO, NoReturn

from healthcert.errors import RuleError
from healthcert.policy.values import whole_number

LONGEST = 64 * 1024  # bytes kept of a line; no code holds as much
LONGEST_OBJECT = 2**17  # bytes; the published rule tests have at most 7 KB


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


def members(line: bytes, *names: str) -> list[object]:
    """Return those members of the JSON object in a line; null where one is missing.

    Raises:
        RuleError: It is no such object, or a longer line than `LONGEST_OBJECT`.
    """
    if len(line) > LONGEST_OBJECT:
        raise RuleError(f"The line is longer than {LONGEST_OBJECT} bytes.")
    try:
        given = json.loads(line.decode("utf-8-sig"), parse_int=_integer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise RuleError("The line is not JSON.") from None
    if not isinstance(given, dict):
        raise RuleError("The line is no JSON object.")
    return [given.get(name) for name in names]


def _integer(text: str) -> int | float:
    """Return an integer as JavaScript reads it: as a double."""
    number = float(text)
    whole = whole_number(number)
    return number if whole is None else whole


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
