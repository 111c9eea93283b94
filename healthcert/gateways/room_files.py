"""The waiting room as it lies in the data folder: what is announced, how far it is, who asked.

opening.toml               what the operator announces (docs/howto/opening-day.md)
room/line.json             public: how far the line is; the worker's
room/availability.json     public: where places are left; the worker's
room/steps.json            how the line came so far: the worker's own
room/looked                as old as the worker's last look: none looks into another folder
room/<code>.<process>      12 bytes for each ticket handed out: what estimates come from
"""

import json
import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from struct import Struct
from typing import Any

from healthcert.errors import BadSettings
from healthcert.gateways.files import write_whole
from healthcert.policy.tickets import Ticket

LINE, AVAILABILITY, STEPS, LOOKED = "line.json", "availability.json", "steps.json", "looked"
_LATE = 180  # seconds without a look, after which the worker works elsewhere or nowhere
_ASKED = Struct(">8si")


@dataclass(frozen=True, slots=True)
class Opening:
    """A moment at which places become free that many want."""

    code: str  # its name, which its tickets are bound to
    programme: str  # the code of the programme
    opens_at: datetime
    room_minutes: int = 60  # how long before that booking goes through the room
    hours: int = 12  # how long after that

    def is_on(self, now: datetime) -> bool:
        """Say whether booking goes through the room."""
        after = now - self.opens_at
        return -timedelta(minutes=self.room_minutes) <= after < timedelta(hours=self.hours)


def announced(data_dir: Path) -> Opening | None:
    """Return the opening that is announced; None if there is none.

    Raises:
        BadSettings: The file cannot be read.
    """
    try:
        told = _held(data_dir / "opening.toml", tomllib.loads)
        return told and Opening(**told)
    except (ValueError, TypeError) as error:
        raise BadSettings(f"opening.toml: {error}") from None


def held(path: Path) -> Any:  # noqa: ANN401 - whatever was put there
    """Return what `put` wrote, read once as long as it does not change; None without it."""
    return _held(path, json.loads)


def put(path: Path, value: object) -> bool:
    """Write a value as JSON, unless it stands there already; return whether it did not."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    if path.exists() and path.read_bytes() == data:
        return False
    write_whole(path, data)
    return True


def is_kept(folder: Path, now: datetime) -> bool:
    """Say whether a worker works in this data folder, and so for whoever reads there."""
    looked = folder / LOOKED
    return looked.exists() and now.timestamp() - looked.stat().st_mtime < _LATE


def note(folder: Path, code: str, ticket: Ticket) -> None:
    """Count somebody among those who wait; losing this costs a better estimate."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{code}.{os.getpid()}").open("ab", buffering=0) as file:
        file.write(_ASKED.pack(*ticket))


def asked(folder: Path, code: str) -> Iterator[tuple[bytes, int]]:
    """Give who came when of every ticket that was handed out, some of them twice."""
    for path in folder.glob(f"{code}.*"):
        data = path.read_bytes()
        yield from _ASKED.iter_unpack(data[: len(data) // 12 * 12])


def forget(folder: Path) -> None:
    """Take away the line, and what was noted of who asked."""
    for path in (*folder.glob("*.[0-9]*"), folder / LINE, folder / STEPS):
        path.unlink(missing_ok=True)


def _held(path: Path, read: Callable[[str], Any]) -> Any:  # noqa: ANN401
    try:
        return _read(path, path.stat().st_mtime_ns, read)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, read: Callable[[str], Any]) -> Any:  # noqa: ANN401
    return read(path.read_text("utf-8"))
