"""The waiting room as it lies in a folder: what was announced, how far it is, who asked.

    var/room/
    ├── opening.json        what the operator announced; without it there is no waiting room
    ├── line.json           public: how far it is; the worker's, whole or not at all
    ├── availability.json   public: where places are left; the worker's too
    ├── steps.json          how it came so far: the worker's own
    ├── <process>.asked     12 bytes for each ticket that was handed out: what estimates come from
    └── <process>.load      how that process fares, every few seconds

Nothing here decides who may go on but the places in `line.json`; what is lost of the rest costs
a better estimate.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from struct import Struct
from typing import Any

from healthcert.errors import WrongState
from healthcert.gateways.files import write_whole
from healthcert.policy.tickets import Ticket

LINE, AVAILABILITY = "line.json", "availability.json"
_OPENING = "opening.json"
_ASKED = Struct(">8si")


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening day: places that many want become free to book at one moment."""

    code: str  # its name, which its tickets are bound to
    programme: str  # the code of the programme
    names: Mapping[str, str]  # of the programme, by language
    room_at: datetime  # from when the room is there, and booking goes through it
    opens_at: datetime
    ends_at: datetime  # until when booking goes through it
    commitment: str  # SHA-256 of the seed, in hex

    def is_on(self, now: datetime) -> bool:
        """Say whether booking goes through the room."""
        return self.room_at <= now < self.ends_at


def announced(folder: Path) -> Opening | None:
    """Return the opening that was announced; None if there is none."""
    told = held(folder / _OPENING)
    if told is None:
        return None
    times = {name: datetime.fromisoformat(told[name]) for name in told if name.endswith("_at")}
    return Opening(**told | times)


def announce(folder: Path, opening: Opening) -> None:
    """Announce an opening.

    Raises:
        WrongState: Another is announced; it has to be ended first.
    """
    if announced(folder) is not None:
        raise WrongState("an opening is announced already: end it first")
    folder.mkdir(parents=True, exist_ok=True)
    put(folder / _OPENING, asdict(opening))


def end(folder: Path) -> None:
    """Take the room away, with everything in it but where places are left."""
    (folder / _OPENING).unlink(missing_ok=True)
    for pattern in (LINE, "steps.json", "*.asked", "*.load"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def held(path: Path) -> dict[str, Any] | None:
    """Return the object in a file, read once as long as it does not change; None without one."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


def put(path: Path, value: object) -> bool:
    """Write an object as JSON, unless it stands there already; return whether it did not."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()
    with suppress(OSError):
        if path.read_bytes() == data:
            return False
    write_whole(path, data)
    return True


def note(folder: Path, ticket: Ticket) -> None:
    """Count somebody among those who wait."""
    with (folder / f"{os.getpid()}.asked").open("ab", buffering=0) as file:
        file.write(_ASKED.pack(*ticket))


def asked(folder: Path) -> Iterator[Ticket]:
    """Give every ticket that was handed out, some of them twice."""
    for path in folder.glob("*.asked"):
        data = path.read_bytes()
        yield from map(Ticket._make, _ASKED.iter_unpack(data[: len(data) // 12 * 12]))


def tell_load(folder: Path, *, slow: float, refused: int) -> None:
    """Say how this process fares; it is not worth waiting for a disk."""
    path = folder / f"{os.getpid()}.load"
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"slow": slow, "refused": refused}), "ascii")
    part.replace(path)


def loads(folder: Path, now: datetime, within: timedelta) -> list[dict[str, Any]]:
    """Return what processes said of themselves lately."""
    since = (now - within).timestamp()
    fresh = (path for path in folder.glob("*.load") if path.stat().st_mtime >= since)
    return [told for path in fresh if (told := held(path))]


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_bytes())
    return value
