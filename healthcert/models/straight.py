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


class Straight:
    """A statement that gives rows, a select or one that is RETURNING; no value of it is a list."""

    def __init__(self, statement: Any) -> None:  # noqa: ANN401 - no type names both
        """Take it with a `bindparam` for each value that is told later."""
        self._statement = statement
        self._compiled: _Compiled | None = None
        self._readers: Sequence[tuple[int, _Change]] | None = None  # by place in a row

    def rows(self, db: Session, /, **values: object) -> Sequence[tuple[Any, ...]]:
        """Return its rows, plain tuples, once what the session knows is written.

        Raises:
            DBAPIError: The database refuses, or is not there, as with any statement.
        """
        db.flush()
        connection = db.connection()
        dialect = connection.dialect
        if dialect.name != "postgresql":
            return connection.execute(self._statement, values).all()
        made = self._compiled = self._compiled or _compiled(self._statement, dialect)
        told = {**made.fixed, **values}
        for name, change in made.writers:
            told[name] = change(told[name])
        cursor = _sent(connection, made.text, [told[name] for name in made.names])
        if self._readers is None:
            self._readers = _readers(self._statement, cursor.description, dialect)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return [_read(row, self._readers) for row in rows] if self._readers else rows


def _compiled(statement: Any, own: Dialect) -> _Compiled:  # noqa: ANN401
    numbered: Any = type(own)
    dialect = numbered(dbapi=own.loaded_dbapi, paramstyle="numeric_dollar")
    made = statement.compile(dialect=dialect)
    told = {each: bind.type.dialect_impl(dialect) for each, bind in made.binds.items()}
    writers = {each: kind.bind_processor(dialect) for each, kind in told.items()}
    return _Compiled(
        made.string.encode(),
        made.positiontup,
        {each: bind.value for each, bind in made.binds.items() if not bind.required},
        [(each, change) for each, change in writers.items() if change],
    )


def _readers(statement: Any, told: Sequence[Any], dialect: Dialect) -> list[tuple[int, _Change]]:  # noqa: ANN401
    found = [
        column.type.dialect_impl(dialect).result_processor(dialect, its.type_code)
        for column, its in zip(statement.exported_columns, told, strict=True)
    ]
    return [(place, change) for place, change in enumerate(found) if change]


def _sent(connection: Connection, text: bytes, values: list[Any]) -> Any:  # noqa: ANN401 - a cursor
    driver: Any = connection.connection.driver_connection
    psycopg: Any = connection.dialect.loaded_dbapi
    cursor = psycopg.RawCursor(driver)
    for heard in connection.dispatch.before_cursor_execute:
        heard(connection, cursor, text.decode(), values, None, False)  # noqa: FBT003 - not many
    try:
        return cursor.execute(text, values)
    except psycopg.Error as error:
        if connection.dialect.is_disconnect(error, driver, cursor):
            connection.invalidate(error)
        raise DBAPIError.instance(text.decode(), None, error, psycopg.Error) from error


def _read(row: tuple[Any, ...], readers: Sequence[tuple[int, _Change]]) -> tuple[Any, ...]:
    changed = list(row)
    for place, change in readers:
        changed[place] = change(changed[place])
    return tuple(changed)
