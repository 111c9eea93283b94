"""Statements on the way of a booking, where a crowd walks: compiled once, then sent straight.

What the toolkit does anew for each execution costs a client more than its driver does. On
PostgreSQL such a statement goes to the driver of the session's own connection, within its
transaction; elsewhere the toolkit runs it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_Change = Callable[[Any], Any]


class _Compiled(NamedTuple):
    text: bytes
    names: Sequence[str]  # of its values, in their order
    fixed: Mapping[str, object]  # values that stand in the statement
    writers: Sequence[tuple[str, _Change]]  # what is done to values, by name
    readers: Sequence[tuple[int, _Change]]  # what is done to those of a row, by place


class Straight:
    """A statement that gives rows, a select or one that is RETURNING; no value of it is a list."""

    def __init__(self, statement: Any) -> None:  # noqa: ANN401 - no type names both
        """Take it with a `bindparam` for each value that is told later."""
        self._statement = statement
        self._compiled: _Compiled | None = None

    def rows(self, db: Session, /, **values: object) -> Sequence[tuple[Any, ...]]:
        """Return its rows, plain tuples, once what the session knows is written.

        Raises:
            DBAPIError: The database refuses, or is not there, as with any statement.
        """
        db.flush()
        connection = db.connection()
        if connection.dialect.name != "postgresql":
            return connection.execute(self._statement, values).all()
        made = self._compiled = self._compiled or _compiled(self._statement, connection.dialect)
        told = {**made.fixed, **values}
        for name, change in made.writers:
            told[name] = change(told[name])
        rows = _sent(connection, made.text, [told[name] for name in made.names])
        return [_read(row, made.readers) for row in rows] if made.readers else rows


def _compiled(statement: Any, own: Dialect) -> _Compiled:  # noqa: ANN401
    numbered: Any = type(own)
    dialect = numbered(dbapi=own.loaded_dbapi, paramstyle="numeric_dollar")
    made = statement.compile(dialect=dialect)
    told = {each: bind.type.dialect_impl(dialect) for each, bind in made.binds.items()}
    writers = {each: kind.bind_processor(dialect) for each, kind in told.items()}
    columns = (each.type.dialect_impl(dialect) for each in statement.exported_columns)
    readers = (kind.result_processor(dialect, None) for kind in columns)
    return _Compiled(
        made.string.encode(),
        made.positiontup,
        {each: bind.value for each, bind in made.binds.items() if not bind.required},
        [(each, change) for each, change in writers.items() if change],
        [(place, change) for place, change in enumerate(readers) if change],
    )


def _sent(connection: Connection, text: bytes, values: list[Any]) -> list[tuple[Any, ...]]:
    driver: Any = connection.connection.driver_connection
    psycopg: Any = connection.dialect.loaded_dbapi
    cursor = psycopg.RawCursor(driver)
    for heard in connection.dispatch.before_cursor_execute:
        heard(connection, cursor, text.decode(), values, None, False)  # noqa: FBT003 - not many
    try:
        cursor.execute(text, values)
    except psycopg.Error as error:
        if connection.dialect.is_disconnect(error, driver, cursor):
            connection.invalidate(error)
        raise DBAPIError.instance(text.decode(), None, error, psycopg.Error) from error
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _read(row: tuple[Any, ...], readers: Sequence[tuple[int, _Change]]) -> tuple[Any, ...]:
    changed = list(row)
    for place, change in readers:
        changed[place] = change(changed[place])
    return tuple(changed)
