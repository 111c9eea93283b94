"""The rules over several rows: one short rule a file, one text a dialect.

`<rule>.<dialect>.sql` lie side by side; the rules that many tables share are stated beside their
columns (`stated`). They are repeatable: dropped and installed anew by every migration and by
`create_all`, so that what is in force is what is written here.
A refusal begins with the rule's name, the only thing SQLite gives to tell them apart.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult

from healthcert.models.base import Base
from healthcert.models.triggers import stated

_FOLDER = Path(__file__).resolve().parent

_DROPS = {
    "sqlite": "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'",
    # Functions go with their triggers; those of an extension are not ours.
    "postgresql": """
        SELECT format('DROP FUNCTION %s CASCADE', p.oid::regprocedure) FROM pg_proc AS p
         WHERE p.pronamespace = current_schema()::regnamespace
           AND p.prorettype = 'trigger'::regtype
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
    """,
}


def texts(dialect: str) -> dict[str, str]:
    """Return the SQL of every rule in one dialect, by the rule's name."""
    files = {
        path.name.partition(".")[0]: path.read_text(encoding="utf-8")
        for path in sorted(_FOLDER.glob(f"*.{dialect}.sql"))
    }
    return files | stated.texts(Base.metadata, dialect)


def statements(sql: str) -> Iterator[str]:
    """Yield single statements of SQLite text; SQLite itself knows where a trigger ends."""
    part = ""
    for line in sql.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""


def run(connection: Connection, sql: str) -> None:
    """Run SQL text of the connection's dialect, however many statements it holds."""
    for part in statements(sql) if connection.dialect.name == "sqlite" else [sql]:
        _execute(connection, part)


def drop(connection: Connection) -> None:
    """Take every trigger out of force, ours and forgotten ones."""
    found = _execute(connection, _DROPS[connection.dialect.name]).scalars().all()
    for statement in found:
        _execute(connection, statement)


def install(connection: Connection) -> None:
    """Put today's rules in force and no other."""
    drop(connection)
    for sql in texts(connection.dialect.name).values():
        run(connection, sql)


def _execute(connection: Connection, sql: str) -> CursorResult[Any]:
    # Without parameters, because the percent signs of these texts are meant.
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
