"""Canaries: people whose names, addresses and numbers must never be met outside the record.

The factories of the whole suite make nobody else. While tests run, everything that leaves the
service otherwise is looked at: log records as they would be written, what is printed, addresses
asked for and sent to, faults and health answers; and every file that is left behind, databases
among them: a test's own when it ends, all others at the end. A canary that is met fails the test
during which it escaped, or the run.

Load it where `tests/conftest.py` is not: `pytest -p tests.canaries`.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from healthcert.logs import JsonLines
from healthcert.services.people import Details, IdentityDetails

ARABIC = Details(
    family="الكناري", given="كنارية", family_latin="Kanari", given_latin="Kanariya",
    birth_date="1980-05-17", language="ar",
    identity=IdentityDetails("national", "XX", "KANARI0001"), sex="female", phone="+447700900001",
    mail="kanari1@example.org",
)  # fmt: skip
FRENCH = Details(
    family="Kanarière", given="Zoé-Kanariette", birth_date="1971-12-23", language="fr",
    identity=IdentityDetails("passport", "XX", "KANARI0002"), sex="female", phone="+447700900002",
    mail="kanari2@example.org",
)  # fmt: skip
ENGLISH = Details(
    family="Kanaridge", given="Kanarina", birth_date="1962-02-03", language="en",
    identity=IdentityDetails("none"), mail="kanari3@example.org",
)  # fmt: skip
TRACES = ("kanari", "كناري", "447700900", "(7700) 900")  # the last as it is typed
HEALTH = ("/livez", "/readyz", "/metrics")

_FORMS = frozenset(
    form.lower().encode()
    for trace in TRACES
    for form in (trace, quote(trace), quote_plus(trace), json.dumps(trace).strip('"'))
)


def traces_in(data: str | bytes) -> list[str]:
    """Return the canaries that a text or file shows, also escaped as an address or JSON does."""
    raw = (data.encode("utf-8", "replace") if isinstance(data, str) else data).lower()
    return sorted(form.decode() for form in _FORMS if form in raw)


class Watch:
    """What has escaped so far, and where."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.escaped: list[str] = []

    def look(self, where: str, data: str | bytes) -> None:
        """Remember a place if what was met there shows a canary."""
        self.escaped += [f"{trace} in {where}" for trace in traces_in(data)]

    def look_at_files(self, folder: Path) -> None:
        """Look at every file below a folder."""
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.look(str(path), path.read_bytes())

    def told(self) -> str:
        """Return what has escaped since this was asked last."""
        escaped, self.escaped = self.escaped, []
        return "A canary escaped: " + "; ".join(escaped) if escaped else ""


WATCH = Watch()


def watched(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return a WSGI application whose addresses, asked for and sent to, are looked at."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"].encode("latin-1")
        for where, text in (
            ("a path", path),
            ("a query", environ.get("QUERY_STRING", "")),
            ("a Referer", environ.get("HTTP_REFERER", "")),
        ):
            WATCH.look(where, text)

        def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            for name, value in headers:
                WATCH.look(f"the header {name}", value)
            return start(status, headers, *more)

        return application(environ, begin)

    return answer


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Fail the test during which a canary was logged, printed or asked for."""
    report = yield
    if call.when == "teardown":
        for name, text in report.sections:
            if "log" not in name:  # shows the words of errors, which are never written: see below
                WATCH.look(f"{name} of {item.nodeid}", text)
        if told := WATCH.told():
            before = f"{report.longreprtext}\n" if report.failed else ""
            report.outcome, report.longrepr = "failed", before + told
    return report


@pytest.fixture(name="tmp_path")
def own_files(tmp_path: Path) -> Iterator[Path]:
    """A folder of the test's own, whose files are looked at before it goes."""
    yield tmp_path
    WATCH.look_at_files(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def canaries_stay_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Look at every log record while tests run, and at what files there are when they are over."""
    written, call_handlers = JsonLines(), logging.Logger.callHandlers

    def called(logger: logging.Logger, record: logging.LogRecord) -> None:
        WATCH.look(f"a log record of {record.name}", written.format(record))
        call_handlers(logger, record)

    folder = tmp_path_factory.getbasetemp()
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("temporary"))
    logging.Logger.callHandlers = called  # type: ignore[method-assign]
    yield
    logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]
    tempfile.tempdir = before
    WATCH.look_at_files(folder)
    told = WATCH.told()
    assert not told, told
