"""Which rule of the database refused a row, by one name on both engines."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Index, Table, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.errors import Refusal
from healthcert.models.base import Base

FOREIGN_KEY = "foreign_key"
NOT_NULL = "not_null"

_SAME_FOR_ALL = {"23503": FOREIGN_KEY, "23502": NOT_NULL}  # PostgreSQL, appendix A


def broken_rule(error: IntegrityError) -> str:
    """Return the name of the rule that refused a row.

    It is the name of the CHECK, UNIQUE or partial index as the models give it, or of the rule in
    `triggers/`. SQLite does not say which foreign key or NOT NULL it was, so neither do we:
    those are `FOREIGN_KEY` and `NOT_NULL`.
    """
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return _SAME_FOR_ALL.get(diagnosis.sqlstate, diagnosis.constraint_name or "")
    kind, _, rest = str(error.orig).partition(" constraint failed: ")
    if kind == "CHECK":
        return rest
    if kind == "UNIQUE":
        return _unique_on(rest)
    if kind == "NOT NULL":
        return NOT_NULL
    return FOREIGN_KEY if kind.startswith("FOREIGN KEY") else kind.partition(":")[0]


@contextmanager
def refusing(db: Session, by_rule: Mapping[str, Refusal | type[Refusal]]) -> Iterator[None]:
    """Undo what breaks a rule of the database, and raise the refusal of that rule."""
    try:
        with db.begin_nested():
            yield
    except IntegrityError as error:
        if (rule := broken_rule(error)) in by_rule:
            raise by_rule[rule] from None
        raise


def _unique_on(columns: str) -> str:
    """Return the name of the key on ``table.column, table.column``, the words of SQLite."""
    names = [each.partition(".")[2] for each in columns.split(", ")]
    table = Base.metadata.tables[columns.partition(".")[0]]
    return next((name for name, key in _keys(table) if key == names), "")


def _keys(table: Table) -> list[tuple[str, list[str]]]:
    keys: list[UniqueConstraint | Index] = [
        *(c for c in table.constraints if isinstance(c, UniqueConstraint)),
        *(index for index in table.indexes if index.unique),
    ]
    found = [(str(key.name), [column.name for column in key.columns]) for key in keys]
    primary = [column.name for column in table.primary_key.columns]
    return [*found, (str(table.primary_key.name), primary)]
