"""What every trial of a harm needs: a process of its own, steady tests, and which are whose."""

from __future__ import annotations

import os
import pickle
import re
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.harms import ROOT

FOLDERS = ("hcert", "policy", "conformance")
TOO_MUCH = ("test_fuzz.py", "test_certlogic_fuzz.py")  # rarely the first to notice
MOST_SECONDS = 60
MOST_BYTES = 6 << 30
QUIET = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:cov"]


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


def forked(work: Callable[[], Any], most_seconds: int = MOST_SECONDS) -> Any:
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


def ignored() -> list[str]:
    """Return how pytest is told to pass over what tries too much."""
    return [f"--ignore={path}" for name in TOO_MUCH for path in (ROOT / "tests").rglob(name)]


def own_tests(path: Path) -> list[str]:
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
