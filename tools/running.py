"""Start the demonstration as a newcomer does: real processes, a folder and a port of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE = 120  # seconds


@dataclass(frozen=True)
class Demonstration:
    """A running demonstration.

    Attributes:
        address: Where it answers.
        said: What it told when it started.
    """

    address: str
    said: str


@contextmanager
def demonstration(folder: Path) -> Iterator[Demonstration]:
    """Run web and worker on data and keys below a folder; both are ended on leaving."""
    port = free_port()
    address = f"http://localhost:{port}"
    output = folder / "output.log"
    environment = os.environ | {
        "HEALTHCERT_ENV": "development",
        "HEALTHCERT_PORT": str(port),
        "HEALTHCERT_DATA_DIR": str(folder / "var"),
        "HEALTHCERT_KEYS_DIR": str(folder / "keys"),
    }
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "healthcert", "demo", "run"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        begun = time.monotonic()
        while not _answers(f"{address}/readyz"):
            if process.poll() is not None or time.monotonic() > begun + _PATIENCE:
                raise RuntimeError(output.read_text("utf-8"))
            time.sleep(0.1)
        yield Demonstration(address, output.read_text("utf-8"))
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own address
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
