"""Seals outside the database: one file a day, a line a seal, only ever appended to.

var/audit/
├── 2026-03-02.seals
└── 2026-03-03.seals
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from healthcert.errors import BadProof
from healthcert.transparency.seals import Seal


def append(path: Path, seals: Iterable[Seal]) -> int:
    """Put seals behind those of a file, on the disk when this returns; return how many."""
    with path.open("a", encoding="utf-8") as file:
        count = sum(1 for seal in seals if file.write(seal.line()))
        file.flush()
        os.fsync(file.fileno())
    return count


def read(path: Path) -> Iterator[Seal]:
    """Give the seals of a file, or of a folder's files in order; none where there is nothing.

    A line that is no seal comes out as one that nobody signed.
    """
    for each in _files(path):
        with each.open(encoding="utf-8", errors="replace") as lines:
            yield from map(Seal.parse, lines)


def newest(folder: Path) -> Seal | None:
    """Return the last seal that a folder holds; None before the first.

    Raises:
        BadProof: The last line is none.
    """
    files = _files(folder)
    if not files:
        return None
    seal = Seal.parse(files[-1].read_text(encoding="utf-8", errors="replace").splitlines()[-1])
    if not seal.leaves:
        raise BadProof(f"the last line of {files[-1]} is no seal")
    return seal


def _files(path: Path) -> list[Path]:
    files = sorted(path.glob("*.seals")) if path.is_dir() else [path]
    return [file for file in files if file.exists() and file.stat().st_size]
