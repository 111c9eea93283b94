"""Files that are either wholly there or not at all, and folders one process fills at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

OWNER_ONLY, ANYONE_READS = 0o600, 0o644


def write_whole(path: Path, data: bytes, *, mode: int = ANYONE_READS) -> None:
    """Put a file in place at once: a reader meets the old one or the new one, never a part.

    It is on the disk, and so is its name, before this returns; `mode` is set before the first byte.
    """
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
        try:
            os.fchmod(part.fileno(), mode)
            part.write(data)
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(path)
        except OSError:
            Path(part.name).unlink(missing_ok=True)
            raise
    _sync(path.parent)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder: whoever else asks for it, in any process, waits until the block ends."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
