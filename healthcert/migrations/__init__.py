"""The history of the tables, and moving a database along it.

`versions/` holds one file a step; `versions/HEAD` names the newest, so that two branches that
both add one conflict in version control and not in a hospital.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect

_FOLDER = Path(__file__).resolve().parent
_VERSIONS = _FOLDER / "versions"


def head() -> str:
    """Return the revision this version of the program works with."""
    return (_VERSIONS / "HEAD").read_text(encoding="utf-8").strip()


def revisions() -> frozenset[str]:
    """Return every revision this version of the program knows."""
    return frozenset(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def revision(connection: Connection) -> str | None:
    """Return the revision a database is at, None where it has no tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def move(connection: Connection, target: str) -> None:
    """Bring a database to a revision; the caller owns the one transaction around it.

    On SQLite the connection must not check foreign keys, since tables are rebuilt; they are
    checked here when all is done. Triggers are dropped first and today's installed at the head.

    Args:
        connection: Inside a transaction.
        target: ``head``, ``base`` or a revision.

    Raises:
        RuntimeError: A step left rows that point nowhere.
    """
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER))
    known = revision(connection)
    going_down = target == "base" or (known is not None and known > target != "head")
    (command.downgrade if going_down else command.upgrade)(config, target)
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"a migration left rows that point nowhere: {broken[:5]}")
