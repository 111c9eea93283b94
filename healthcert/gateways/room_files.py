"""The waiting room as it lies in the data folder: what is announced, how far it is, who asked.

opening.toml               what is announced, by a page or by hand (docs/howto/opening-day.md)
room/line.json             public: how far the line is; the worker's
room/availability.json     public: where places are left; the worker's
room/steps.json            how the line came so far: the worker's own
room/looked                as old as the worker's last look: none looks into another folder
room/<code>.<process>      12 bytes for each ticket handed out: what estimates come from
"""

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from struct import Struct
from typing import Any

from healthcert.errors import BadInput, BadSettings
from healthcert.gateways import files
from healthcert.policy.tickets import Ticket

OPENING = "opening.toml"
LINE, AVAILABILITY, STEPS, LOOKED = "line.json", "availability.json", "steps.json", "looked"
_LATE = 180  # seconds without a look, after which the worker works elsewhere or nowhere
_ASKED = Struct(">8si")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")  # it names files
_MINUTES, _HOURS = range(1, 24 * 60 + 1), range(1, 7 * 24 + 1)
_WRONG = {
    "code": "not_a_code", "programme": "not_a_choice", "opens_at": "not_a_time",
    "room_minutes": "not_room_minutes", "hours": "not_room_hours",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opening:
    """A moment at which places become free that many want."""

    code: str  # its name, which its tickets are bound to
    programme: str  # the code of the programme
    opens_at: datetime
    room_minutes: int = 60  # how long before that booking goes through the room
    hours: int = 12  # how long after that

    def __post_init__(self) -> None:
        """Refuse (`BadInput`, by field) what no room can be kept for, whoever wrote it."""
        zone = self.opens_at.tzinfo if isinstance(self.opens_at, datetime) else None
        right = {
            "code": isinstance(self.code, str) and _CODE.fullmatch(self.code),
            "programme": isinstance(self.programme, str) and self.programme,
            "opens_at": zone,
            "room_minutes": type(self.room_minutes) is int and self.room_minutes in _MINUTES,
            "hours": type(self.hours) is int and self.hours in _HOURS,
        }
        if not all(right.values()):
            raise BadInput({name: _WRONG[name] for name, is_so in right.items() if not is_so})

    @property
    def name(self) -> str:
        """What its tickets are bound to: a code used again brings no seed back that was shown."""
        return f"{self.code} {self.opens_at.astimezone(UTC).isoformat()}"

    def is_over(self, now: datetime) -> bool:
        """Say whether its room is closed for good."""
        return now - self.opens_at >= timedelta(hours=self.hours)

    def is_on(self, now: datetime) -> bool:
        """Say whether booking goes through the room."""
        after = now - self.opens_at
        return -timedelta(minutes=self.room_minutes) <= after < timedelta(hours=self.hours)


def announced(data_dir: Path) -> Opening | None:
    """Return the opening announced, if any; `BadSettings`, with its cause, if it cannot be read."""
    try:
        told = _held(data_dir / OPENING, tomllib.loads)
        return told and _opening(told)
    except (BadInput, ValueError) as error:
        raise BadSettings(f"{OPENING}: {error}") from error


def alone(data_dir: Path) -> AbstractContextManager[None]:
    """Hold what is announced, from looking at it until it is changed: one does at a time."""
    (data_dir / "room").mkdir(parents=True, exist_ok=True)
    return files.alone(data_dir / "room")


def announce(data_dir: Path, opening: Opening) -> None:
    """Put an opening in the place of what is announced; of another nothing is kept."""
    with suppress(BadSettings):
        before = announced(data_dir)
        if before is not None and before.name != opening.name:
            forget(data_dir / "room")
    quoted = {name: json.dumps(getattr(opening, name)) for name in ("code", "programme")}
    told = quoted | {"opens_at": opening.opens_at.isoformat()}
    told |= {name: str(getattr(opening, name)) for name in ("room_minutes", "hours")}
    lines = (f"{name} = {value}\n" for name, value in told.items())
    files.write_whole(data_dir / OPENING, "".join(lines).encode())


def take_away(data_dir: Path) -> None:
    """Take away what is announced, with the line; tickets are worth nothing from then on."""
    (data_dir / OPENING).unlink(missing_ok=True)
    forget(data_dir / "room")


def held(path: Path) -> Any:  # noqa: ANN401 - whatever was put there
    """Return what `put` wrote, read once as long as it does not change; None without it."""
    return _held(path, json.loads)


def put(path: Path, value: object) -> bool:
    """Write a value as JSON, unless it stands there already; return whether it did not."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    if path.exists() and path.read_bytes() == data:
        return False
    files.write_whole(path, data)
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


def _opening(told: dict[str, Any]) -> Opening:
    known = {one.name: one.default is MISSING for one in fields(Opening)}
    wrong = dict.fromkeys(sorted(told.keys() - known.keys()), "not_known")  # alike in any process
    wrong |= {
        name: "missing" for name, is_needed in known.items() if is_needed and name not in told
    }
    if wrong:
        raise BadInput(wrong)
    return Opening(**told)


def _held(path: Path, read: Callable[[str], Any]) -> Any:  # noqa: ANN401
    try:
        return _read(path, path.stat().st_mtime_ns, read)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, read: Callable[[str], Any]) -> Any:  # noqa: ANN401
    return read(path.read_text("utf-8"))
