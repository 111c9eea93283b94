"""The public files of draws, as they lie in the data folder (`docs/draw/README.md`).

draws/<draw>/list.txt        once the list is closed
draws/<draw>/ranks.txt       once the seed is shown
draws/<draw>/manifest.json   the rules, and what is public by now; written last
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from healthcert.gateways.files import write_whole

NAMES = MANIFEST, LIST, RANKS = "manifest.json", "list.txt", "ranks.txt"
# What there is of a draw; of one that was given up, the list stays if it was closed.
BY_STATE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"closed": (LIST,), "drawn": (LIST, RANKS), "published": (LIST, RANKS)}
)


def there(folder: Path) -> list[str]:
    """Return the names of the files that lie in the folder of a draw."""
    return [name for name in NAMES if (folder / name).is_file()]


def is_whole(folder: Path, state: str) -> bool:
    """Say whether the files of a draw lie there as they are in its state."""
    wanted = {MANIFEST, *BY_STATE.get(state, ())}
    return wanted <= {*there(folder)} and manifest(folder).get("state") == state


def write(folder: Path, told: Mapping[str, Any], lists: Mapping[str, Iterable[str]]) -> None:
    """Put the files of a draw in place, the manifest last; `lists` are lines by name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in lists.items():
        write_whole(folder / name, "".join(f"{line}\n" for line in each).encode())
    write_whole(folder / MANIFEST, json.dumps(told, ensure_ascii=False, indent=1).encode())


def manifest(folder: Path) -> dict[str, Any]:
    """Return what the manifest of a draw tells; nothing where it is none."""
    try:
        return dict(json.loads((folder / MANIFEST).read_text("utf-8")))
    except (OSError, TypeError, ValueError):
        return {}


def lines(folder: Path, name: str) -> list[str]:
    """Return the lines of a file of a draw; none where there is no such file."""
    path = folder / name
    return path.read_text("utf-8").split("\n")[:-1] if path.is_file() else []
