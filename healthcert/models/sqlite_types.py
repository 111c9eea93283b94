"""Honest types on SQLite, which stores any value in any column unless a CHECK refuses it."""

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Float, Integer, MetaData, Uuid
from sqlalchemy.types import Time, TypeEngine

from healthcert.models.base import Instant

# '+0 days' makes SQLite reckon: without it, it hands 30 February back as it came.
# A NULL passes each of them: whether a column may be NULL is said elsewhere.
_RULES: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (Boolean, "{0} IN (0, 1)"),
    (Integer, "typeof({0}) IN ('integer', 'null')"),
    (Float, "typeof({0}) IN ('real', 'null')"),
    (Time, "time({0}, '+0 days') || '.000000' IS {0}"),
    (Date, "date({0}, '+0 days') IS {0}"),
    (Uuid, "length({0}) = 32 AND {0} NOT GLOB '*[^0-9a-f]*'"),
    (Instant, "datetime({0}, '+0 days') IS substr({0}, 1, 19) AND substr({0}, 20) GLOB '.{1}'"),
)
_MICROSECONDS = "[0-9]" * 6


def rule_of(column: Column[Any]) -> str | None:
    """Return the condition under which SQLite holds a value of the column's type, None for text."""
    for kind, rule in _RULES:
        if isinstance(column.type, kind):
            return rule.format(column.name, _MICROSECONDS)
    return None


def check_types(metadata: MetaData) -> None:
    """Give every column of a countable type its CHECK, in force on SQLite alone.

    Called once, when all tables are known; PostgreSQL has these types itself.
    """
    for table in metadata.tables.values():
        for column in table.columns:
            if (rule := rule_of(column)) is not None:
                check = CheckConstraint(rule, name=f"{column.name}_type")
                table.append_constraint(check.ddl_if(dialect="sqlite"))
