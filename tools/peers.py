"""Make the programs of others that we are held against: `.venv/peers/`.

    python -m tools.peers

python-cwt in a Python of its own, since it needs an older cbor2; cose-js, base45 and certlogic-js
for Node. They read what we write and run beside us in benchmarks; nothing of them ships. Needs a
package index and npm; made once for each lock.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv" / "peers"
PYTHON = HOME / "python" / "bin" / "python"
NODE_MODULES = HOME / "node" / "node_modules"

_READERS = ROOT / "tools" / "peers_node"
_LOCKS = (ROOT / "requirements" / "peers.txt", _READERS / "package-lock.json")


class NoPeerError(Exception):
    """The peers are not there and cannot be had; the words say why."""


def made() -> bool:
    """Say whether they are there as the locks name them."""
    stamp = HOME / "made"
    return stamp.is_file() and stamp.read_text("ascii") == _wanted()


def make() -> None:
    """Make them where they are missing.

    Raises:
        NoPeerError: An index cannot be reached, or there is no npm.
    """
    if made():
        return
    node = HOME / "node"
    node.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_READERS / name, node)
    _run(sys.executable, "-m", "venv", str(PYTHON.parent.parent))
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes")
    _run(str(PYTHON), "-m", "pip", "install", *quiet, "--requirement", str(_LOCKS[0]))
    npm = ("npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    _run(*npm, "--prefix", str(node))
    (HOME / "made").write_text(_wanted(), "ascii")


def _wanted() -> str:
    locks = b"".join(lock.read_bytes() for lock in _LOCKS)
    return hashlib.sha256(locks + sys.version.encode()).hexdigest()


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPeerError(f"{command[0]} could not do its part: {error}") from None


if __name__ == "__main__":
    try:
        make()
    except NoPeerError as error:
        print(f"The peers were not made, what needs them will be skipped: {error}")
