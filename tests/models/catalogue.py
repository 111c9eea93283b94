"""What a database really holds, told by itself: columns, constraints, indexes, rules."""

from __future__ import annotations

import re

from sqlalchemy import Connection

# NOT NULL is compared with the columns: PostgreSQL 18 lists it as a constraint, 15 does not.
_POSTGRESQL = """
SELECT format('column %s.%s %s null=%s default=%s generated=%s', c.relname, a.attname,
              format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
              pg_get_expr(d.adbin, d.adrelid), a.attgenerated)
  FROM pg_attribute AS a
  JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'r'
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT format('constraint %s %s %s valid=%s', conrelid::regclass, conname,
              pg_get_constraintdef(oid), convalidated)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype NOT IN ('n', 't')
UNION ALL
SELECT format('index %s valid=%s', pg_get_indexdef(indexrelid), indisvalid)
  FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
 WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT format('trigger %s enabled=%s', pg_get_triggerdef(oid), tgenabled)
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function ' || pg_get_functiondef(oid)
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
_SQLITE = "SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"


def snapshot(connection: Connection) -> set[str]:
    """Return one line for every column, constraint, index, trigger and function."""
    query = _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
    # Without parameters: the driver would take the format's percent signs for its own.
    rows = connection.exec_driver_sql(query, execution_options={"no_parameters": True}).all()
    lines = {line for row in rows for line in _lines(*row)}
    return {line for line in lines if "alembic_version" not in line}


def _lines(kind: str, table: str = "", sql: str = "") -> list[str]:
    if not sql:
        return [kind]  # PostgreSQL says it all in one
    flat = re.sub(r"\s+", " ", sql).replace('"', "")
    return [f"{table}: {part}" for part in _clauses(flat)] if kind == "table" else [flat]


def _clauses(sql: str) -> list[str]:
    """Return what stands between the outermost commas of a CREATE TABLE."""
    depth, parts = 0, [""]
    for char in sql[sql.index("(") + 1 : sql.rindex(")")]:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]
