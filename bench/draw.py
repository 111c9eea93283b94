"""A draw among a million people, and the same from its public files in another language.

`python -m bench.draw`; `HEALTHCERT_ENTRANTS` says how many. The peer is `docs/draw/verify.mjs` on
Node, which reads, computes and compares everything from the three files alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from bench._turns import row
from healthcert.policy.draw import Rules, differences, root

_COUNT = int(os.environ.get("HEALTHCERT_ENTRANTS", "1000000"))
_WANTED = 5.0  # seconds
_PROGRAM = Path(__file__).resolve().parent.parent / "docs" / "draw" / "verify.mjs"
_GROUPS = ("", "", " region:North", "", " phase:carers")


def main() -> int:
    """Print the row; return 1 if the ranks differ or ours take longer than is wanted."""
    rules = Rules(
        "covid", "a lottery", "2026-03-02T09:00:00Z", _COUNT // 10,
        {"region:North": 20, "phase:carers": 30},
    )  # fmt: skip
    lines = sorted(
        sha256(f"{number}".encode()).hexdigest()[:32] + _GROUPS[number % len(_GROUPS)]
        for number in range(_COUNT)
    )
    seed, value = sha256(b"seed").digest(), "7 12 19 23 41"
    begin = process_time()
    ranks = rules.ranked(lines, seed=seed, public_value=value)
    ours = process_time() - begin
    told = {
        **{name: getattr(rules, name) for name in Rules.__slots__}, "seed": seed.hex(),
        "commitment": rules.commitment(seed).hex(), "list_root": root(lines).hex(),
        "entries": len(lines), "public_value": value,
    }  # fmt: skip
    wrong = list(differences(told, lines, ranks))
    with TemporaryDirectory() as folder:
        theirs, said = _theirs(Path(folder), told, lines, ranks)
    print(f"draw: {said}")
    figures = (f"{ours:.1f} s", "Node, from the files", f"{theirs:.1f} s")
    row(f"draw among {_COUNT:,}", *figures, ours / theirs if theirs else 0, f"{_WANTED:.0f} s")
    agreed = "SKIPPED" in said or said.endswith(" 0 differing ranks")
    return int(bool(wrong) or not agreed or ours > _WANTED)


def _theirs(
    folder: Path, told: dict[str, object], lines: list[str], ranks: list[str]
) -> tuple[float, str]:
    node = shutil.which("node")
    if node is None:
        return 0.0, "SKIPPED, there is no Node"
    (folder / "manifest.json").write_text(json.dumps(told), "utf-8")
    for name, content in (("list.txt", lines), ("ranks.txt", ranks)):
        (folder / name).write_text("".join(f"{line}\n" for line in content), "utf-8")
    begin = perf_counter()
    done = subprocess.run([node, _PROGRAM, folder], capture_output=True, text=True, check=False)
    return perf_counter() - begin, done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
