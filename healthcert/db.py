"""Engines, the doors to the database, and whether it can be used at all.

Every piece of work goes through a door of `Doors`: `reading()` is one snapshot that refuses
writes, `transaction()` commits whole or not at all, `run(work)` may run its work again after
a deadlock, `alone()` is for one statement. Connections opened elsewhere hold SQLite's write lock
until they are closed.
"""

import math
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from healthcert import migrations
from healthcert.errors import NotReady
from healthcert.pool import InTurn
from healthcert.transparency.merkle import leaf_hash

T = TypeVar("T")

_RETRYABLE = frozenset({"40001", "40P01"})  # serialization failure, deadlock detected
_TRIES = 3
_OLDEST_POSTGRESQL = 15_00_00
_OLDEST_SQLITE = (3, 40)
_IDLE = 1.0  # seconds
_CONNECTIONS = 8  # of a process: few for a crowd (`web.overload`), the others for all else


def make_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """Return an engine whose transactions mean the same on SQLite and PostgreSQL.

    On SQLite the application says BEGIN, not the driver: IMMEDIATE for a writer, which would
    else fail when it turns from reader to writer, and a plain one that refuses writes where
    the execution option ``reads`` is set. On PostgreSQL a writer is READ COMMITTED.

    Args:
        url: SQLAlchemy address; ``postgresql+psycopg`` or ``sqlite``.
        foreign_keys: Whether SQLite checks them; migrations rebuild tables without.

    Raises:
        NotReady: The address cannot be read, or names a database we have no rules for.
    """
    try:
        dialect = make_url(url).get_backend_name()
        if dialect == "postgresql":
            # Kept open: to open one costs more than many bookings. Few: with 60 on two
            # processors, each booking cost the server twice as much.
            kept = {"pool_size": _CONNECTIONS, "poolclass": InTurn, "pool_use_lifo": True}
            return _prepared(_pinged(create_engine(url, isolation_level="READ COMMITTED", **kept)))
        if dialect == "sqlite":
            return _sqlite_engine(url, foreign_keys=foreign_keys)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise NotReady(f"The database address cannot be used: {error}") from error
    raise NotReady(f"There are no rules for {dialect}: use PostgreSQL or SQLite.")


def _pinged(engine: Engine) -> Engine:
    """Let connections that lay for a second be tried first: the server may have gone and come."""

    @event.listens_for(engine, "checkin")
    def _laid_down(_raw: object, record: ConnectionPoolEntry) -> None:
        record.info["laid_down"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _taken_up(raw: Any, record: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401
        if time.monotonic() - record.info.get("laid_down", time.monotonic()) > _IDLE:
            try:
                engine.dialect.do_ping(raw)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error

    return engine


def _prepared(engine: Engine) -> Engine:
    """Let connections keep their prepared statements when they roll back.

    The driver forgets them, for a table may have gone by that; none of ours does while we run. Each
    refusal would have the next five executions of every statement planned anew.
    """
    undo = engine.dialect.do_rollback

    def kept(raw: Any) -> None:  # noqa: ANN401 - no type names the driver's own
        psycopg: Any = engine.dialect.loaded_dbapi
        known, done = psycopg.pq.TransactionStatus, psycopg.pq.ExecStatus.COMMAND_OK
        begun = raw.pgconn.transaction_status in (known.INTRANS, known.INERROR)
        if not begun or raw.pgconn.exec_(b"ROLLBACK").status != done:
            undo(raw)

    engine.dialect.do_rollback = kept  # type: ignore[method-assign,assignment]
    return engine


def _sqlite_engine(url: str, *, foreign_keys: bool) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _set_up(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None
        for pragma in (
            f"foreign_keys = {int(foreign_keys)}",
            "recursive_triggers = ON",  # else INSERT OR REPLACE deletes past the append-only rule
            "busy_timeout = 30000",  # milliseconds
            "journal_mode = WAL",
            "synchronous = FULL",
        ):
            raw.execute(f"PRAGMA {pragma}").close()
        raw.create_function("leaf_hash", 1, leaf_hash)
        # What PostgreSQL brings and SQLite may lack.
        for each in (math.sin, math.cos, math.radians):
            raw.create_function(each.__name__, 1, each, deterministic=True)
        raw.create_function("timezone", 2, _on_the_clock_of, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {int(reads)}")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _on_the_clock_of(zone: str, moment: str) -> str:
    """Return a stored moment on the clock of a zone, as PostgreSQL's `timezone` does."""
    local = datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    return local.replace(tzinfo=None).isoformat(" ")


def _for_reading(engine: Engine) -> Engine:
    options: dict[str, Any] = {"reads": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return engine.execution_options(**options)


class Doors:
    """The only ways to the rows: a snapshot to read, a transaction to write.

    Attributes:
        engine: The engine behind them; to be disposed of by whoever made it.
    """

    def __init__(self, engine: Engine) -> None:
        """Take the engine of `make_engine`."""
        self.engine = engine
        self._read = sessionmaker(_for_reading(engine), expire_on_commit=False)
        self._write = sessionmaker(engine, expire_on_commit=False)
        is_server = engine.dialect.name == "postgresql"  # BEGIN and COMMIT go over the wire
        plain = engine.execution_options(isolation_level="AUTOCOMMIT") if is_server else engine
        self._alone = sessionmaker(plain, expire_on_commit=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open one consistent snapshot; the database refuses to write through it."""
        with self._read.begin() as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a transaction: committed at the end, rolled back when anything is raised."""
        with self._write.begin() as session:
            yield session

    @contextmanager
    def alone(self) -> Iterator[Session]:
        """Open a session for one statement, which is a transaction by itself."""
        with self._alone.begin() as session:
            yield session

    def run(self, work: Callable[[Session], T]) -> T:
        """Return what the work returns, done in one transaction; at most three tries.

        A deadlock or a serialization failure runs it again from its start, so it must do
        nothing outside the database.
        """
        for attempt in range(1, _TRIES):
            try:
                return self._once(work)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _RETRYABLE:
                    raise
                time.sleep(0.02 * attempt * (1 + secrets.randbelow(100) / 100))
        return self._once(work)

    def _once(self, work: Callable[[Session], T]) -> T:
        with self.transaction() as session:
            return work(session)


def migrate(url: str) -> None:
    """Bring the database to this version's tables and rules, whole or not at all.

    Raises:
        NotReady: It cannot be opened or written, or a newer version made it.
    """
    _make_folder(url)
    engine = make_engine(url, foreign_keys=False)
    try:
        with _begun(engine) as connection:
            if connection.dialect.name == "postgresql":  # two servers may start at once
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7233180150)")
            _refuse_unknown(migrations.revision(connection))
            migrations.move(connection, "head")
    finally:
        engine.dispose()


def at_head(engine: Engine) -> bool:
    """Say, for health checks, whether the tables are this version's; `NotReady` if it is away."""
    with _begun(_for_reading(engine)) as connection:
        return migrations.revision(connection) == migrations.head()


def refuse_unready(engine: Engine) -> None:
    """Refuse a database that this version must not run on; the message says what to do.

    Raises:
        NotReady: It cannot be opened or written, would lose commits in a power cut, is too
            old a PostgreSQL or SQLite, has no tables, or has those of another version.
    """
    with _begun(engine) as connection:
        found = migrations.revision(connection)
        if found is None:
            raise NotReady("The database has no tables yet: run `healthcert db migrate`.")
        if connection.dialect.name == "postgresql":
            _refuse_forgetful(connection)
        else:
            _refuse_read_only(connection)
    _refuse_unknown(found)
    if found != migrations.head():
        raise NotReady(
            f"The database is at revision {found}, this version needs {migrations.head()}: "
            "make a backup, then run `healthcert db migrate`."
        )


def _refuse_unknown(found: str | None) -> None:
    if found is not None and found not in migrations.revisions():
        raise NotReady(
            f"The database is at revision {found}, which this version does not know: a newer one "
            "made it. Install that version, or restore a backup from before it."
        )


def _refuse_forgetful(connection: Connection) -> None:
    version, fsync, commit = connection.exec_driver_sql(
        "SELECT current_setting('server_version_num')::int, current_setting('fsync'),"
        " current_setting('synchronous_commit')"
    ).one()
    if version < _OLDEST_POSTGRESQL:
        raise NotReady("This PostgreSQL is too old: 15 is the oldest.")
    for name, value in (("fsync", fsync), ("synchronous_commit", commit)):
        if value == "off":
            raise NotReady(
                f"PostgreSQL runs with {name} = off and would forget doses in a power cut: "
                f"set {name} = on and reload it."
            )


def _refuse_read_only(connection: Connection) -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise NotReady(f"SQLite {sqlite3.sqlite_version} is too old: 3.40 is the oldest.")
    try:  # BEGIN IMMEDIATE is granted even where nothing can be written
        connection.exec_driver_sql("DELETE FROM alembic_version WHERE false")
    except DatabaseError as error:
        raise NotReady(_cannot_open(connection.engine.url, error)) from error


@contextmanager
def _begun(engine: Engine) -> Iterator[Connection]:
    """Open a connection and begin; where that fails, refuse with the place and the remedy."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(engine.connect())
            stack.enter_context(connection.begin())
        except DatabaseError as error:
            raise NotReady(_cannot_open(engine.url, error)) from error
        yield connection


def _cannot_open(url: URL, error: DatabaseError | OSError) -> str:
    if url.get_backend_name() == "sqlite":
        reason = error if isinstance(error, OSError) else error.orig
        return (
            f"The database file {url.database} cannot be opened and written ({reason}): give this "
            "user the right to write in its folder, or name another in HEALTHCERT_DATABASE_URL."
        )
    return (
        f"PostgreSQL at {url.host or 'the local socket'} does not answer or refuses this user: "
        "check that it runs, and HEALTHCERT_DATABASE_URL."
    )


def _make_folder(url: str) -> None:
    where = make_url(url)
    if where.get_backend_name() != "sqlite" or not where.database:
        return
    try:
        Path(where.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(_cannot_open(where, error)) from error
