"""Hear which rule of the database a refused statement broke."""

from __future__ import annotations

import re
from functools import cache

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.exc import DBAPIError

from healthcert.models import Base

_SQLITE_UNIQUE = "UNIQUE constraint failed: "
_SQLITE_CHECK = "CHECK constraint failed: "
_RULE = re.compile(r"[a-z][a-z0-9_]*")


def broken_rule(error: DBAPIError) -> str:
    """Return the name of the constraint, index or trigger that refused; empty if it has none.

    PostgreSQL says the name. SQLite says the columns of a broken UNIQUE, which are looked up
    in our own tables, and the name of a CHECK; triggers begin their message with their name.
    A foreign key is named by PostgreSQL alone: on SQLite the answer is ``foreign_key``.
    """
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None and diagnosis.constraint_name:
        return str(diagnosis.constraint_name)
    message = str(error.orig)
    if message.startswith(_SQLITE_UNIQUE):
        return _unique_names().get(message.removeprefix(_SQLITE_UNIQUE), "")
    if message.startswith("FOREIGN KEY"):
        return "foreign_key"
    named = _RULE.match(message.removeprefix(_SQLITE_CHECK))
    return named[0] if named else ""


@cache
def _unique_names() -> dict[str, str]:
    """Return the name of each unique rule by its columns as SQLite tells them."""
    names: dict[str, str] = {}
    for table in Base.metadata.tables.values():
        rules: list[Index | UniqueConstraint] = [rule for rule in table.indexes if rule.unique]
        rules += [rule for rule in table.constraints if isinstance(rule, UniqueConstraint)]
        for rule in rules:
            names[", ".join(f"{table.name}.{column.name}" for column in rule.columns)] = str(
                rule.name
            )
    return names
