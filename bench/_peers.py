"""Programs of others that we are measured against, each in an environment of its own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_FOLDER = ROOT / ".venv" / "peers"
_CERTLOGIC = "certlogic-js@1.2.2"


class NoPeerError(Exception):
    """The peer is not there and cannot be had; the words say why."""


def python() -> Path:
    """Return a Python with what `requirements/peers.txt` names, installed where it was missing."""
    lock = ROOT / "requirements" / "peers.txt"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = _FOLDER / f"python-{wanted}"
    found = folder / "bin" / "python"
    if not (folder / "whole").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _run(str(found), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(lock))
        (folder / "whole").touch()
    return found


def certlogic() -> Path:
    """Return a folder whose `node_modules` holds certlogic-js, installed where it was missing."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise NoPeerError(f"{program} is not there")
    folder = _FOLDER / "certlogic"
    if not (folder / "node_modules" / "certlogic-js").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _run("npm", "install", "--silent", "--ignore-scripts", "--prefix", str(folder), _CERTLOGIC)
    return folder


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPeerError(f"it could not be installed: {error}") from None
