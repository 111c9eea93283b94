"""Make what reads our certificates and shares no code with us: `build/independent/`.

    python tools/independent.py

python-cwt and the npm package cose-js live there in environments of their own: they need older
libraries than the service, and nothing of them ships. Needs a package index; made once.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "independent"
PYTHON = HOME / "python" / "bin" / "python"
NODE_MODULES = HOME / "node" / "node_modules"

READERS = ROOT / "tools" / "readers"
LOCKS = (ROOT / "requirements" / "peers.txt", READERS / "package-lock.json")


def _wanted() -> str:
    return hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()


def made() -> bool:
    """Say whether both are there."""
    stamp = HOME / "made"
    return stamp.is_file() and stamp.read_text("ascii") == _wanted()


def make() -> None:
    """Make both.

    Raises:
        subprocess.CalledProcessError, OSError: An index cannot be reached, or there is no npm.
    """
    node = HOME / "node"
    node.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(READERS / name, node)
    _run(sys.executable, "-m", "venv", str(PYTHON.parent.parent))
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes")
    _run(str(PYTHON), "-m", "pip", "install", *quiet, "--requirement", str(LOCKS[0]))
    npm = ("npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    _run(*npm, "--prefix", str(node))
    (HOME / "made").write_text(_wanted(), "ascii")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    try:
        if not made():
            make()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"The independent readers were not made, their tests will be skipped: {error}")
