"""The history of the tables, and moving a database along it.

`versions/` holds a SQL text a dialect for each step; what takes it back follows `-- down`. Their
names count up, and `versions/HEAD` names the newest, so that two branches that both add one
conflict in version control and not in a hospital. A database says in `alembic_version` where it is:
so it was called when a library took it there, and so it stays.
"""

import logging
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from healthcert.models import triggers

_VERSIONS = Path(__file__).resolve().parent / "versions"
_UP, _DOWN = 0, 1
_DIVIDER = "\n-- down\n"
_PLACE = """CREATE TABLE IF NOT EXISTS alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""
_LOG = logging.getLogger(__name__)


def head() -> str:
    """Return the revision this version of the program works with."""
    return (_VERSIONS / "HEAD").read_text(encoding="utf-8").strip()


def revisions() -> list[str]:
    """Return every revision this version of the program knows, the first first."""
    return sorted({path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.sql")})


def revision(connection: Connection) -> str | None:
    """Return the revision a database is at, None where it has no tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def move(connection: Connection, target: str) -> None:
    """Bring a database to a revision; the caller owns the one transaction around it.

    On SQLite the connection must not check foreign keys, since tables are rebuilt; they are
    checked here when all is done. Triggers are dropped first, since one that names a table would
    stop SQLite from renaming its rebuilt copy, and today's installed at the head.

    Args:
        connection: Inside a transaction.
        target: ``head``, ``base`` or a revision.

    Raises:
        RuntimeError: A step left rows that point nowhere.
    """
    triggers.drop(connection)
    at, to = revision(connection) or "", {"head": head(), "base": ""}.get(target, target)
    way, low, high = (_UP, at, to) if at <= to else (_DOWN, to, at)
    steps = [step for step in revisions() if low < step <= high]
    for step in steps if way == _UP else reversed(steps):
        _take(connection, step, way)
    connection.exec_driver_sql(_PLACE)
    connection.exec_driver_sql("DELETE FROM alembic_version")
    if to:
        connection.execute(text("INSERT INTO alembic_version VALUES (:to)"), {"to": to})
    if to == head():
        triggers.install(connection)
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"a migration left rows that point nowhere: {broken[:5]}")


def _take(connection: Connection, step: str, way: int) -> None:
    [path] = _VERSIONS.glob(f"{step}_*.{connection.dialect.name}.sql")
    _LOG.info("%s %s", ("upgrade", "downgrade")[way], path.stem.partition(".")[0])
    triggers.run(connection, path.read_text(encoding="utf-8").split(_DIVIDER)[way])
