"""Harm the codec and the rules, one place at a time, and count what the tests notice.

    python -m tools.mutants [--sample N] [--seed S] [MODULE ...]

What is found is kept in `var/mutants.jsonl`, so that a run may be broken off and taken up again;
what survived before is tried anew. A harm inside a function is put into it in a process forked off
after the tests were read (`tools/inside.py`); any other stands in a module that is imported anew.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from pathlib import Path
from random import Random

import pytest

from tools.harms import HARMLESS, ROOT, Harm, harms_of
from tools.inside import Inside
from tools.trial import FOLDERS, QUIET, Told, forked, ignored, own_tests

PRELOADED = (
    "asn1crypto.x509 cbor2 jsonschema PIL.Image playwright.sync_api qrcode sqlalchemy.orm zxingcpp"
)
KEPT = ROOT / "var" / "mutants.jsonl"


def _noticed_anew(harm: Harm, tests: Sequence[str]) -> str:
    """Return which test notices a harm in a module imported anew; nothing where none does."""
    true = SourceFileLoader.get_code
    SourceFileLoader.get_code = lambda self, name: (  # type: ignore[method-assign]
        harm.code if Path(self.path) == harm.path else true(self, name)
    )
    told = Told()
    failed = pytest.main([*QUIET, *ignored(), *tests], plugins=[told])
    return told.failed or "a test that could not be collected" if failed else ""


def _anew(harms: Iterable[Harm], tell: Callable[[Harm, str], None]) -> None:
    """Try harms in modules imported anew, each under the tests of its own module."""
    sound: dict[Path, str] = {}
    for harm in harms:
        tests = own_tests(harm.path)
        if harm.path not in sound:
            whole = compile(harm.path.read_text(encoding="utf-8"), str(harm.path), "exec")
            sound[harm.path] = forked(
                functools.partial(_noticed_anew, replace(harm, code=whole), tests)
            )
        if sound[harm.path]:
            raise SystemExit(f"with nothing harmed there fails {sound[harm.path]}")
        tell(harm, forked(functools.partial(_noticed_anew, harm, tests)))


def _key(harm: Harm) -> str:
    """Return what a result belongs to: this harm of this very source."""
    return sha256(harm.name.encode() + harm.path.read_bytes()).hexdigest()[:16]


def _kept() -> dict[str, str]:
    lines = KEPT.read_text(encoding="utf-8").splitlines() if KEPT.is_file() else []
    return {row["key"]: row["by"] for row in map(json.loads, lines)}


def _tell(harm: Harm, by: str) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    with KEPT.open("a", encoding="utf-8") as file:
        row = {"key": _key(harm), "name": harm.name, "by": by}
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    if not by:
        print(f"survived: {harm.name}", flush=True)


def main() -> int:
    """Print the score by module, and the survivors."""
    parser = argparse.ArgumentParser(description="Count the harms that the tests notice.")
    parser.add_argument("--sample", default="all", help="how many, by chance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as hcert/cose.py")
    wanted = parser.parse_args()
    for name in PRELOADED.split():
        __import__(name)
    os.environ.setdefault("HEALTHCERT_PEOPLE", "50")
    paths = [ROOT / "healthcert" / name for name in wanted.modules] or sorted(
        path for part in ("hcert", "policy") for path in (ROOT / "healthcert" / part).glob("*.py")
    )
    every = [harm for path in paths for harm in harms_of(path) if harm.name not in HARMLESS]
    if wanted.sample != "all":
        every = Random(wanted.seed).sample(every, min(int(wanted.sample), len(every)))
    _try(every)
    return _told(every)


def _try(every: Sequence[Harm]) -> None:
    """Try what is not known to be noticed: first inside functions, then the rest anew."""
    before = _kept()
    left = [harm for harm in every if not before.get(_key(harm))]
    tests = [f"tests/{part}" for part in FOLDERS]

    def inside() -> None:
        pytest.main([*QUIET, *ignored(), *tests], plugins=[Inside(left, tell)])

    tried: set[str] = set()
    reading, writing = os.pipe()

    def tell(harm: Harm, by: str) -> None:
        _tell(harm, by)
        os.write(writing, f"{_key(harm)}\n".encode())

    child = os.fork()
    if not child:
        try:
            inside()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        tried = set(pipe.read().split())
    os.waitpid(child, 0)
    _anew([harm for harm in left if _key(harm) not in tried], _tell)


def _told(every: Sequence[Harm]) -> int:
    kept = _kept()
    noticed, tried = Counter[str](), Counter[str]()
    for harm in every:
        name = f"{harm.path.parent.name}/{harm.path.name}"
        tried[name] += 1
        noticed[name] += bool(kept.get(_key(harm)))
    for name in sorted(tried):
        print(f"{name:26} {noticed[name]:4} of {tried[name]:4}")
    score = noticed.total() / max(tried.total(), 1)
    print(f"{noticed.total()} of {tried.total()} noticed ({score:.1%})")
    print(f"{len(HARMLESS)} more are known to harm nothing: tools/harmless.jsonl")
    return 0


if __name__ == "__main__":
    sys.exit(main())
