"""Every benchmark of this folder, one table: `python -m bench [NAME ...]`; see README.md here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_HEAD = [
    "| path | ours | limit or peer | its figure | ratio | wanted |",
    "| --- | --- | --- | --- | --- | --- |",
]


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; return 1 if one of them does."""
    every = sorted(path.stem for path in _HERE.glob("[!_]*.py"))
    rows, failed = [], []
    for name in names or every:
        print(f"-- {name}", flush=True)
        for line in _lines(name, failed):
            print(line, end="", flush=True)
            told = line.startswith("| ") or "SKIPPED" in line
            rows += [line.strip() if line.startswith("| ") else f"| {line.strip()} ||||||"] * told
    table = [*_HEAD, *rows, *(f"| {name} MISSED what is wanted ||||||" for name in failed)]
    (_HERE / "results.md").write_text("\n".join(table) + "\n", encoding="utf-8")
    print("", *table, sep="\n")
    return int(bool(failed))


def _lines(name: str, failed: list[str]) -> Iterator[str]:
    """Give what a benchmark prints, line by line; note it where it failed."""
    command = [sys.executable, "-u", "-m", f"bench.{name}"]
    with subprocess.Popen(command, cwd=_HERE.parent, stdout=subprocess.PIPE, text=True) as running:
        yield from running.stdout
    if running.returncode:
        failed.append(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
