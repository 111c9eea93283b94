"""Seals outside the database: one file a day, a line a seal, only ever appended to.

var/audit/
├── 2026-03-02.seals
└── 2026-03-03.seals
"""

import os
from collections.abc import Iterable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from healthcert.errors import BadProof
from healthcert.transparency.seals import Seal


def append(path: Path, seals: Iterable[Seal]) -> int:
    """Put seals behind those of a file, on the disk when this returns; return how many.

    A line without an end, which a power cut left, goes first: it was never kept.
    """
    with path.open("ab+") as file:
        file.truncate(_whole(file))
        count = sum(1 for seal in seals if file.write(seal.line().encode()))
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
    """Return the last whole seal of a folder, None before the first; `BadProof` if it is none."""
    for path in reversed(_files(folder)):
        with path.open("rb") as file:
            end = _whole(file)
            if end:
                file.seek(_whole(file, end - 1))
                seal = Seal.parse(file.read(end - file.tell()).decode(errors="replace"))
                if not seal.leaves:
                    raise BadProof(f"the last line of {path} is no seal")
                return seal
    return None


def _whole(file: BinaryIO, before: int | None = None) -> int:
    """Return where the last whole line before a place ends."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return 0
    with mmap(file.fileno(), 0, access=ACCESS_READ) as held:  # read from behind: a day is long
        return held.rfind(b"\n", 0, size if before is None else before) + 1


def _files(path: Path) -> list[Path]:
    files = sorted(path.glob("*.seals")) if path.is_dir() else [path]
    return [file for file in files if file.exists() and file.stat().st_size]
