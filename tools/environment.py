"""Make `.venv` of this checkout hold exactly what a lock file names.

    python3 tools/environment.py run|test|node|fuzz

Runs on the machine's own Python and imports nothing but the standard library. A second call
with nothing changed returns at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
# The larger set holds the smaller one, so a developer's environment also runs the service.
HOLDS = {"run": ("run", "test"), "test": ("test",), "node": ("node",), "fuzz": ("fuzz",)}


def stamp(name: str) -> tuple[Path, str]:
    """Return the file that remembers an installation, and what it must say."""
    parts = [sys.version.encode(), str(ROOT).encode(), (ROOT / "setup.cfg").read_bytes()]
    parts.append((ROOT / "requirements" / f"{name}.txt").read_bytes())
    return VENV / f"healthcert-{name}.stamp", hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_current(name: str) -> bool:
    """Say whether this set, or one that holds it, is installed as the lock says."""
    for larger in HOLDS[name]:
        path, wanted = stamp(larger)
        if path.is_file() and path.read_text(encoding="ascii") == wanted:
            return True
    return False


def pip(*arguments: str) -> None:
    """Run the environment's pip quietly."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-warn-script-location"]
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", *quiet, *arguments]
    subprocess.run(
        command, cwd=ROOT, check=True, env=os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    )


def install(name: str) -> None:
    """Create the environment where it is missing and install the set."""
    if not (VENV / "bin" / "python").exists():
        print("Creating .venv …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    print(f"Installing requirements/{name}.txt …", flush=True)
    pip("--require-hashes", "--requirement", f"requirements/{name}.txt")
    if name in HOLDS["run"]:
        pip("--no-deps", "--no-build-isolation", "--editable", ".")
    path, wanted = stamp(name)
    path.write_text(wanted, encoding="ascii")


def complaint() -> str:
    """Return what stands in the way, as one sentence; empty when nothing does."""
    if sys.version_info < (3, 11):  # noqa: UP036 - run by whatever Python the machine has
        return f"healthcert needs Python 3.11 or newer; this is {sys.version.split()[0]}."
    if importlib.util.find_spec("ensurepip") is None:
        return "This Python has no venv: install it first (on Debian: apt install python3-venv)."
    if not os.access(ROOT, os.W_OK):
        return f"{ROOT} cannot be written to: copy the checkout to a folder of your own."
    return ""


def main() -> int:
    """Install the set named on the command line."""
    name = sys.argv[1]
    trouble = complaint()
    if trouble:
        print(trouble, file=sys.stderr)
        return 1
    try:
        if not is_current(name):
            install(name)
    except subprocess.CalledProcessError as error:
        print(f"This step failed, see above: {' '.join(error.cmd[-4:])}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or ROOT}: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
