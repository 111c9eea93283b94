"""Make what reads our certificates and shares no code with us: `build/independent/`.

    python tools/independent.py

python-cwt and the npm package cose-js live there in environments of their own: they need older
libraries than the service, and nothing of them ships. Needs a package index; made once.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "independent"
PYTHON = HOME / "python" / "bin" / "python"
NODE_MODULES = HOME / "node" / "node_modules"

PYPI = ("cwt==3.3.0", "cbor2<6", "base45==0.4.4")
NPM = ("cose-js@0.9.0", "base45@3.0.0")  # Apache-2.0 and MIT, and all they stand on


def made() -> bool:
    """Say whether both are there."""
    return (HOME / "made").is_file()


def make() -> None:
    """Make both.

    Raises:
        subprocess.CalledProcessError, OSError: An index cannot be reached, or there is no npm.
    """
    (HOME / "node").mkdir(parents=True, exist_ok=True)
    _run(sys.executable, "-m", "venv", str(PYTHON.parent.parent))
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    _run(str(PYTHON), "-m", "pip", "install", *quiet, *PYPI)
    _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
         "--prefix", str(HOME / "node"), *NPM)  # fmt: skip
    (HOME / "made").touch()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    make()
    print(f"{PYTHON} and {NODE_MODULES}")
