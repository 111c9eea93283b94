"""Harms put into a process that has read the tests already, where only those that reach it run.

Tests that made something of the harmed code while they were read have made it of the sound one.
"""

from __future__ import annotations

import functools
import gc
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import accumulate
from time import perf_counter
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from coverage import Coverage

from tools.harms import ROOT, Harm, changed_code
from tools.trial import Steady, forked, own_tests

MOST_TESTS = 15  # seconds a harm is tried for: its module's own tests, then the quickest
COLLECTING = "collecting"


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
            if pairs := changed_code(harm):
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
            own = [
                one for one in own_tests(harm.path) if one.endswith(f"/test_{harm.path.stem}.py")
            ]
            items = sorted(
                (one for one in session.items if one.nodeid in tests or str(one.path) in own),
                key=lambda one: (str(one.path) not in own, seconds[one.nodeid]),
            )
            total = accumulate(seconds[one.nodeid] for one in items)
            items = [one for one, sofar in zip(items, total, strict=True) if sofar < MOST_TESTS]
            by = forked(functools.partial(_noticed_inside, session, items, put, caches))
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

        failed, seconds, reached = forked(learn, most_seconds=600)
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
        if not name.startswith("__") and _is_plain(value) and repr(worse.get(name)) != repr(value)
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
