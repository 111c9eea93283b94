"""The declarative base, the types both engines share, and identifiers."""

import secrets
import time
import uuid
from collections import namedtuple
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    make_transient_to_detached,
    mapped_column,
)
from sqlalchemy.orm.attributes import manager_of_class

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


_LAST_MICROSECOND = 999_499


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: takes only aware datetimes and gives aware ones, on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values; hand on UTC, since SQLite keeps the digits and drops the zone.

        SQLite reckons in milliseconds and rounds: the last half millisecond of a second would be
        taken for the next second and refused, so it is cut off there.
        """
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("an Instant needs a datetime with a zone")
        utc = value.astimezone(UTC)
        if dialect.name == "sqlite" and utc.microsecond > _LAST_MICROSECOND:
            return utc.replace(microsecond=_LAST_MICROSECOND)
        return utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return UTC: SQLite gives it without a zone, PostgreSQL in the session's."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_id() -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562 §5.7): rows made later sort later, and it says nothing else."""
    milliseconds = time.time_ns() // 1_000_000
    noise = secrets.randbits(74)
    value = (
        milliseconds << 80 | 0x7 << 76 | (noise >> 62) << 64 | 0b10 << 62 | noise & (1 << 62) - 1
    )
    return uuid.UUID(int=value)


class Base(DeclarativeBase):
    """Everything that is stored."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {  # noqa: RUF012 - read once by SQLAlchemy
        datetime: Instant,
        float: Double,
        bytes: LargeBinary,
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        list[str]: JSON,
    }


class Row(Base):
    """A row with an identifier that says nothing about its holder, and the time it was written.

    `recorded_at` is given by the caller: constraints compare stored columns, never a clock.
    """

    __abstract__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-2)
    recorded_at: Mapped[datetime] = mapped_column(sort_order=-1)


R = TypeVar("R", bound=Row)


def plain(kind: type[R], values: Mapping[str, Any]) -> R:
    """Return a whole row that no session knows, for a fraction of what mapping it costs."""
    row: R = manager_of_class(kind).new_instance()
    row.__dict__.update(values)
    return row


def as_read(db: Session, kind: type[R], values: Mapping[str, Any]) -> R:
    """Return a whole row as the session knows one that it has read, or written, by itself."""
    row = plain(kind, values)
    make_transient_to_detached(row)
    return db.merge(row, load=False)


def narrow(names: str) -> Any:  # noqa: ANN401 - its columns have the types of the mapped class
    """Return a class of tuples that stand for rows of which only these columns are read."""
    return namedtuple("Narrow", names)  # noqa: PYI024


def one_of(column: str, values: tuple[str, ...], name: str | None = None) -> CheckConstraint:
    """Return the CHECK that a text column holds one of a few words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=name or column)


def unique_where(name: str, *columns: str, where: str) -> Index:
    """Return a partial unique index for both engines."""
    return index_where(name, *columns, where=where, unique=True)


def index_where(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return a partial index for both engines."""
    rows = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=rows, postgresql_where=rows)


def upsert(db: Session, table: str) -> Any:  # noqa: ANN401 - of one engine or the other
    """Return an INSERT into a table that knows ``ON CONFLICT``, which is no standard SQL."""
    return upsert_on(db.get_bind().dialect.name, table)


def upsert_on(engine: str, table: str) -> Any:  # noqa: ANN401
    """Return what `upsert` does, on ``postgresql`` or ``sqlite``."""
    insert = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
    return insert[engine](Base.metadata.tables[table])


def points_at(
    table: str, ours: str, theirs: str = "", *, name: str | None = None, later: bool = False
) -> ForeignKeyConstraint:
    """Return the key by which columns, a blank apart, are those of a row, perhaps made `later`."""
    at = [f"{table}.{column}" for column in (theirs or ours).split()]
    return ForeignKeyConstraint(ours.split(), at, name=name, use_alter=later)
