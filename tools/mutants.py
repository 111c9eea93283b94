"""Harm the codec and the rules, one place at a time, and count what the tests notice.

    python -m tools.mutants [--sample N] [--seed S] [MODULE ...]

What is found is kept in `var/mutants.jsonl`, so that a run may be broken off and taken up again;
of what survived before all is tried anew. A harm inside a function is put into it in a process
forked off after the tests were collected, where only those tests run that reach the statement;
any other harm stands in a module that is imported anew, under all tests of its folder.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import os
import pickle
import re
import resource
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from itertools import accumulate
from pathlib import Path
from random import Random
from time import perf_counter
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from coverage import Coverage

from tools.harms import HARMLESS, ROOT, Harm, harms_of

PRELOADED = (
    "asn1crypto.x509 cbor2 jsonschema PIL.Image playwright.sync_api qrcode sqlalchemy.orm zxingcpp"
)
KEPT = ROOT / "var" / "mutants.jsonl"
FOLDERS = ("hcert", "policy", "conformance")
TOO_MUCH = ("test_fuzz.py", "test_certlogic_fuzz.py")  # rarely the first to notice
MOST_SECONDS = 60
MOST_TESTS = 15  # seconds a harm inside is tried for, the quickest tests first
MOST_BYTES = 6 << 30
QUIET = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:cov"]
COLLECTING = "collecting"


class Steady:
    """Makes chance the same each time, and lets a failure be enough."""

    @staticmethod
    def pytest_configure() -> None:
        """Take the settings before any test is read."""
        from hypothesis import Phase, settings  # noqa: PLC0415 - after pytest has rewritten it

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("mutants", phases=phases, database=None, derandomize=True)
        settings.load_profile("mutants")


class Told(Steady):
    """Knows which test failed."""

    failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the name of a test that failed."""
        if report.failed:
            self.failed = report.nodeid


class Inside(Steady):
    """Tries what can be tried without importing anything anew, once the tests are collected."""

    def __init__(self, harms: Sequence[Harm], tell: Callable[[Harm, str], None]) -> None:
        """Take what to try, and whom to tell who noticed."""
        self.harms, self.tell = harms, tell
        self.cover = Coverage(
            data_file=None,
            config_file=False,
            include=[f"{ROOT}/healthcert/{part}/*" for part in ("hcert", "policy")],
        )
        self.cover.start()
        self.cover.switch_context(COLLECTING)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn which test reaches what, then try each harm on those that reach it."""
        seconds, reached = self._learnt(session)
        self.cover.stop()
        functions, caches = _made()
        for harm in self.harms:
            if pairs := _changed(harm):
                put = functools.partial(_put_code, pairs, functions)
                lines = reached[str(harm.path)]
                tests = _reaching(lines, *harm.lines) or _reaching(lines, *harm.function)
                again = COLLECTING in tests
            elif changed := _changed_data(harm):
                put = functools.partial(_put_data, changed)
                tests = {
                    test for module, _, _ in changed for test in _reaching(reached[module.__file__])
                }
                again = True  # it may also stand in a default, or in what was made of it
            else:
                continue  # must stand in the module from its first line on
            items = sorted(
                (one for one in session.items if one.nodeid in tests),
                key=lambda one: seconds[one.nodeid],
            )
            total = accumulate(seconds[one.nodeid] for one in items)
            items = [one for one, sofar in zip(items, total, strict=True) if sofar < MOST_TESTS]
            by = _forked(functools.partial(_noticed_inside, session, items, put, caches))
            if by or not again:
                self.tell(harm, by)
        return True

    def _learnt(self, session: pytest.Session) -> Any:
        def learn() -> Any:
            seconds = {}
            for item in session.items:
                self.cover.switch_context(item.nodeid)
                begin = perf_counter()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                seconds[item.nodeid] = perf_counter() - begin
            self.cover.stop()
            data = self.cover.get_data()
            reached = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
            return session.testsfailed, seconds, reached

        failed, seconds, reached = _forked(learn, most_seconds=600)
        if failed:
            raise SystemExit("the tests fail with nothing harmed")
        return seconds, defaultdict(dict, reached)


def _reaching(lines: dict[int, list[str]], first: int = 0, last: int = 1 << 30) -> set[str]:
    return {test for line, tests in lines.items() if first <= line <= last for test in tests}


def _noticed_inside(
    session: pytest.Session, items: Sequence[pytest.Item], put: Callable[[], None], caches: Any
) -> str:
    put()
    for cache in caches:
        cache.cache_clear()
    for item in items:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        if session.testsfailed:
            return item.nodeid
    return ""


def _put_code(pairs: Any, functions: dict[CodeType, list[FunctionType]]) -> None:
    for true, worse in pairs:
        for function in functions.get(true, ()):
            function.__code__ = worse


def _put_data(changed: Iterable[tuple[ModuleType, str, Any]]) -> None:
    for module, name, worse in changed:
        setattr(module, name, worse)


def _changed_data(harm: Harm) -> list[tuple[ModuleType, str, Any]]:
    """Return the plain data of a module that a harm changes, wherever they were imported to."""
    [module] = [
        one for one in sys.modules.values() if getattr(one, "__file__", "") == str(harm.path)
    ]
    worse: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    try:
        exec(harm.code, worse)  # noqa: S102 - our own module, harmed
    except Exception:  # noqa: BLE001 - it shall fail where it is imported anew
        return []
    names = [
        name
        for name, value in vars(module).items()
        if not name.startswith("__") and _is_plain(value) and worse.get(name) != value
    ]
    return [
        (other, name, worse[name])
        for name in names
        for other in sys.modules.values()
        if vars(other).get(name, other) is vars(module)[name]
        and str(getattr(other, "__file__", "")).startswith(str(ROOT))
    ]


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(_is_plain, value))
    return isinstance(value, str | bytes | int | float | re.Pattern | timedelta | None)


def _made() -> tuple[dict[CodeType, list[FunctionType]], list[Any]]:
    """Return every function there is by its code, and every cache."""
    functions = defaultdict(list)
    caches = []
    for thing in gc.get_objects():
        if type(thing) is FunctionType:
            functions[thing.__code__].append(thing)
        elif type(thing) is functools._lru_cache_wrapper:  # noqa: SLF001 - it has no other name
            caches.append(thing)
    return functions, [one for one in caches if one.__module__.startswith(("healthcert", "tests"))]


def _changed(harm: Harm) -> list[tuple[CodeType, CodeType]] | None:
    """Return the functions' code that a harm changes; None where it changes more than those."""
    true = compile(harm.path.read_text(encoding="utf-8"), str(harm.path), "exec")
    pairs = list(zip(_codes(true), _codes(harm.code), strict=False))
    changed = [(one, worse) for one, worse in pairs if _own(one) != _own(worse)]
    optimized = 0x1  # a function's, and not a module's or a class's
    if not changed or any(not one.co_flags & optimized for one, _ in changed):
        return None
    if len(list(_codes(true))) != len(list(_codes(harm.code))):
        return None
    return [(one, worse) for one, worse in pairs if one != worse and one.co_flags & optimized]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _own(code: CodeType) -> tuple[object, ...]:
    consts = [repr(one) for one in code.co_consts if not isinstance(one, CodeType)]
    return code.co_code, consts, code.co_names, code.co_varnames


def _forked(work: Callable[[], Any], most_seconds: int = MOST_SECONDS) -> Any:
    """Return what a process of its own found; how it died where it found nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_CPU, (most_seconds, most_seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        signal.alarm(4 * most_seconds)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        try:
            told = pickle.dumps(work())
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(told)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(told) if told else f"ended by {status}"  # noqa: S301 - our own process


def _noticed_anew(harm: Harm, tests: Sequence[str]) -> str:
    """Return which test notices a harm in a module imported anew; nothing where none does."""
    true = SourceFileLoader.get_code
    SourceFileLoader.get_code = lambda self, name: (  # type: ignore[method-assign]
        harm.code if Path(self.path) == harm.path else true(self, name)
    )
    told = Told()
    failed = pytest.main([*QUIET, *_ignored(), *tests], plugins=[told])
    return told.failed or "a test that could not be collected" if failed else ""


def _ignored() -> list[str]:
    return [f"--ignore={path}" for name in TOO_MUCH for path in (ROOT / "tests").rglob(name)]


def _anew(harms: Iterable[Harm], tell: Callable[[Harm, str], None]) -> None:
    """Try harms in modules imported anew, each under the tests of its own module."""
    sound: dict[Path, str] = {}
    for harm in harms:
        tests = _own_tests(harm.path)
        if harm.path not in sound:
            whole = compile(harm.path.read_text(encoding="utf-8"), str(harm.path), "exec")
            sound[harm.path] = _forked(
                functools.partial(_noticed_anew, replace(harm, code=whole), tests)
            )
        if sound[harm.path]:
            raise SystemExit(f"with nothing harmed there fails {sound[harm.path]}")
        tell(harm, _forked(functools.partial(_noticed_anew, harm, tests)))


def _own_tests(path: Path) -> list[str]:
    """Return the files of tests that name a module, its own one first."""
    folder = ROOT / "tests" / path.parent.name
    own = folder / f"test_{path.stem}.py"
    dotted = f"{path.parent.name}.{path.stem}"
    others = [
        file
        for file in sorted(folder.glob("test_*.py"))
        if file != own
        and file.name not in TOO_MUCH
        and re.search(rf"\b{dotted}\b|\b{path.stem}\b", file.read_text(encoding="utf-8"))
    ]
    return [str(file) for file in ([own] if own.is_file() else []) + others]


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
        pytest.main([*QUIET, *_ignored(), *tests], plugins=[Inside(left, tell)])

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
    print(f"{len(HARMLESS)} more are known to harm nothing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
