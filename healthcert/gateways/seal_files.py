"""Seals outside the database: one file a day, a line a seal, only ever appended to.

var/audit/
├── 2026-03-02.seals
└── 2026-03-03.seals
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from healthcert.transparency.seals import Seal, read_seals

_SUFFIX = ".seals"


def append(path: Path, seals: Iterable[Seal]) -> None:
    """Put seals behind those of a file; they are on the disk when this returns."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(seal.line() for seal in seals)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Iterator[Seal]:
    """Give the seals of a file, or of a folder's files in order; none where there is nothing.

    Raises:
        BadProof: A line is no seal.
    """
    for each in _files(path):
        with each.open(encoding="utf-8") as lines:
            yield from read_seals(lines)


def newest(folder: Path) -> Seal | None:
    """Return the last seal that a folder holds.

    Raises:
        BadProof: It is none.
    """
    for path in reversed(_files(folder)):
        lines = path.read_text(encoding="utf-8").splitlines()
        if lines:
            return next(read_seals(lines[-1:]))
    return None


def _files(path: Path) -> list[Path]:
    return sorted(path.glob(f"*{_SUFFIX}")) if path.is_dir() else [path] if path.exists() else []
