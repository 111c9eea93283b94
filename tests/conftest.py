"""Fixtures that every test may use: a fresh, migrated database on each engine."""

from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Dialect, Engine, event, make_url
from sqlalchemy.orm import Session

from healthcert.db import Doors, make_engine, migrate
from healthcert.gateways.signer import Signer
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.revocation import RevocationList
from healthcert.services import eligibility, knowledge, signing_keys
from healthcert.services.development_keys import make_development_keys
from healthcert.services.keys import Keyring, read_secret
from healthcert.services.trusted import load_trust
from tests.canaries import (  # noqa: F401 - in force
    canaries_stay_in,
    own_files,
    pytest_runtest_makereport,
)
from tests.certificates import NOW
from tests.postgres import NoPostgres, Server, memory, running_server

ENGINES = ("sqlite", "postgresql")
NOT_TESTED = "PostgreSQL is not tested"


CHROMIUM = "/usr/bin/chromium"
_QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


ROOM = 2**31  # bytes, more than the tests of many processes leave at one time


def pytest_configure() -> None:
    """Lay what tests write in memory where there is room: a commit waits for no disk there."""
    folder = memory()
    if folder and shutil.disk_usage(folder).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask on both engines, or on the one that a module names, with a reason (`ON`)."""
    told = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "engine_name" in metafunc.fixturenames and not any("engine_name" in each for each in told):
        one = getattr(metafunc.module, "ON", None)
        metafunc.parametrize("engine_name", [one] if one else ENGINES, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Ask each test of pages on one engine, half of them on each: services are asked on both.

    `make nightly` asks all on both (HEALTHCERT_BOTH).
    """
    _send_groups_together(config, items)
    if os.environ.get("HEALTHCERT_BOTH"):
        return
    named = {item.nodeid: item for item in items}
    left = {item.nodeid for item in items if _asked_elsewhere(item.nodeid, named)}
    config.hook.pytest_deselected(items=[named[each] for each in left])
    items[:] = [item for item in items if item.nodeid not in left]


def _send_groups_together(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Write the group of a test where the scheduler looks for it: at the end of its name.

    pytest-xdist 3.8 writes it where pytest 9.2 no longer looks (pytest-xdist #1386): each process
    started servers of its own. `tests.test_house` holds that it is read.
    """
    for item in items if config.getoption("loadgroup", default=False) else ():
        if group := _group_of(item):
            item._id = item._id.parse(f"{item.nodeid}@{group}")  # noqa: SLF001


def _group_of(item: pytest.Item) -> str:
    """Return the group a test is marked with, or its module if that makes something once."""
    if marked := item.get_closest_marker("xdist_group"):
        return str(marked.args[0])
    made = item._fixtureinfo.name2fixturedefs.values()  # noqa: SLF001 - of its own process alone
    once = any(each[-1].scope == "module" for each in made)
    return item.nodeid.partition("::")[0] if once else ""


def pytest_collection_finish() -> None:
    """Leave nine thousand tests out of each search for garbage, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _asked_elsewhere(nodeid: str, named: Container[str]) -> bool:
    both = nodeid.replace("postgresql", "sqlite"), nodeid.replace("sqlite", "postgresql")
    if not nodeid.startswith("tests/web/") or not all(each in named for each in both):
        return False
    return nodeid != both[crc32(both[0].encode()) % 2]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watch what is covered on one engine: it costs half as much again as the tests themselves.

    Of a `walk` nothing is counted: the tests of each door say what covers it.
    """
    watch = item.config.pluginmanager.getplugin("_cov")
    unseen = "postgresql" in item.nodeid or item.get_closest_marker("walk")
    if watch is None or watch.cov_controller is None or not unseen:
        return (yield)
    watch.cov_controller.pause()
    try:
        return (yield)
    finally:
        watch.cov_controller.resume()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser; one a process, since Playwright allows no second one.

    Without one its tests fail where CI=true and are skipped elsewhere.
    """
    if not Path(CHROMIUM).is_file():
        told = f"pages are not looked at: there is no {CHROMIUM}"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET.split())
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; without one its tests fail where CI=true and are skipped elsewhere."""
    try:
        with running_server() as server:
            yield server
    except NoPostgres as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{NOT_TESTED}: {error}")
        pytest.skip(f"{NOT_TESTED}: {error}")


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return how a test tells something to whoever reads the end of the run."""
    return lambda text: record_property("said", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    for report in told:
        for name, text in report.user_properties:
            if name == "said":
                terminalreporter.section(report.nodeid.rpartition("::")[2])
                terminalreporter.line(text)
    skipped: Counter[str] = Counter(
        str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        for report in terminalreporter.getreports("skipped")
    )
    for reason, count in skipped.items():
        terminalreporter.section(f"NOT TESTED ({count}): {reason}", red=True)


@pytest.fixture(scope="session")
def postgresql_template(postgres: Server) -> Iterator[str]:
    with postgres.database() as name:
        migrate(postgres.url(name))
        yield name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_known(
    postgres: Server, postgresql_template: str, signers: dict[str, Signer]
) -> Iterator[str]:
    with postgres.database(postgresql_template) as name:
        _teach(postgres.url(name), signers)
        yield name


@pytest.fixture(scope="session")
def sqlite_known(sqlite_template: Path, signers: dict[str, Signer]) -> Path:
    path = shutil.copy(sqlite_template, sqlite_template.with_name("known.db"))
    _teach(f"sqlite:///{path}", signers)
    return path


def _teach(url: str, signers: dict[str, Signer]) -> None:
    """Bring what every clinic stands on into a database: the knowledge files, and our keys."""
    engine = make_engine(url)
    with Doors(engine).transaction() as db:
        knowledge.load(db, now=NOW)
        signing_keys.take_in(db, {each.certificate: "" for each in signers.values()}, now=NOW)
    engine.dispose()


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    """Name the engine under test: each test that uses it runs on both."""
    return str(request.param)


@pytest.fixture
def database_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated database that only this test sees.

    Where a clinic is to stand in it, the knowledge files and our keys are there already; versions
    have the same names in each such test, so what a process remembers of them is forgotten.
    """
    for read in (knowledge._CONTENTS, knowledge._SERIES, eligibility._STAGES):  # noqa: SLF001
        read.clear()
    kind = "known" if "clinic" in request.fixturenames else "template"
    made = request.getfixturevalue(f"{engine_name}_{kind}")
    if engine_name == "sqlite":
        yield f"sqlite:///{shutil.copy(made, tmp_path / 'test.db')}"
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database(made) as name:
        yield server.url(name)


@pytest.fixture
def empty_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database without tables."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database() as name:
        yield server.url(name)


@pytest.fixture(scope="session")
def engines() -> dict[str, Engine]:
    """The engine of each kind that `doors` leads from database to database."""
    return {}


@pytest.fixture
def doors(database_url: str, engines: dict[str, Engine]) -> Iterator[Doors]:
    """The doors to the test's own database, of an engine that knows the SQL of earlier tests."""
    url = make_url(database_url)
    kind = url.get_backend_name()
    engine = engines[kind] = engines.get(kind) or make_engine(database_url)

    def lead(dialect: Dialect, _record: object, given: list[Any], named: dict[str, Any]) -> None:
        given[:], told = dialect.create_connect_args(url)
        named.update(told)

    event.listen(engine, "do_connect", lead)
    yield Doors(engine)
    event.remove(engine, "do_connect", lead)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_doors(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Doors]:
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("shared") / "shared.db")
    engine = make_engine(f"sqlite:///{path}")
    yield Doors(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def postgresql_doors(postgres: Server, postgresql_template: str) -> Iterator[Doors]:
    with postgres.database(postgresql_template) as name:
        engine = make_engine(postgres.url(name))
        yield Doors(engine)
        engine.dispose()


@pytest.fixture
def db(engine_name: str, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session inside a transaction, for deeds that flush; nothing of it stays.

    Its database is shared by every such test, and is not the one behind `doors`.
    """
    shared: Doors = request.getfixturevalue(f"{engine_name}_doors")
    with shared.transaction() as session:
        event.listen(session, "before_commit", _refuse_to_commit)
        yield session
        session.rollback()


_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "conformance"


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The folder of public test data, which is not part of the project; else the test is skipped.

    It lies beside the checkout, or where HEALTHCERT_CONFORMANCE says.
    """
    folder = Path(os.environ.get("HEALTHCERT_CONFORMANCE", _BESIDE))
    if not (folder / "vectors.jsonl").is_file():
        pytest.skip(f"no public test data in {folder}; HEALTHCERT_CONFORMANCE names another place")
    return folder


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of development keys; tests read it and never write."""
    folder = tmp_path_factory.mktemp("session") / "keys"
    make_development_keys(folder, country="XX", now=NOW)
    return folder


@pytest.fixture(scope="session")
def bundle(keys_dir: Path) -> Bundle:
    """A bundle made at NOW that trusts `signers` and publishes what XX revoked: nothing."""
    return Bundle(
        version=1, issued=NOW, expires=NOW + timedelta(days=30), previous=b"",
        trust=load_trust(keys_dir / "trust" / "certificates"),
        revocation=RevocationList.of(["XX"], []),
    )  # fmt: skip


@pytest.fixture(scope="session")
def signers(keys_dir: Path) -> dict[str, Signer]:
    """The certificate signers of `keys_dir` by kind."""
    private = keys_dir / "development"
    return by_kind(Keyring(private, read_secret(private / "secret")))


def by_kind(found: Mapping[bytes, Signer]) -> dict[str, Signer]:
    """Return signers by what they sign."""
    return {signer.purpose: signer for signer in found.values()}


def _refuse_to_commit(session: Session) -> None:
    assert session.in_nested_transaction(), "a deed flushes, its caller commits"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their length: keys made anew would give every test process other names."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None
