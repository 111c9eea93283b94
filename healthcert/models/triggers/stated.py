"""The rules that many tables share: a table states them of itself, here they become SQL.

    __table_args__ = (..., stated(append_only=True))

`append_only`: what was written stays written, a correction is a new row. `never_deleted`: rows
that others lean on end in a state. `transitions`: the steps its `state` may take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import MetaData, Table

Transitions = Mapping[str, Sequence[str]]

# Both keep a row; they differ in what they refuse.
_KEEPING = {"append_only": ("UPDATE", "DELETE"), "never_deleted": ("DELETE",)}


def stated(
    *,
    append_only: bool = False,
    never_deleted: bool = False,
    transitions: Transitions | None = None,
) -> dict[str, Any]:
    """Return the last of a table's `__table_args__`, which states the rules it keeps."""
    rules = {
        "append_only": append_only, "never_deleted": never_deleted, "transitions": transitions,
    }  # fmt: skip
    return {"info": rules}


def texts(metadata: MetaData, dialect: str) -> dict[str, str]:
    """Return the SQL of the stated rules of all tables in one dialect, by the rule's name."""
    tables = [table for _, table in sorted(metadata.tables.items())]
    found = {
        rule: "\n".join(_keeping(rule, [t for t in tables if t.info.get(rule)], dialect))
        for rule in _KEEPING
    }
    for table in tables:
        if steps := table.info.get("transitions"):
            found[f"{table.name}_transition"] = _transition(table, steps, dialect)
    return found


def _keeping(rule: str, tables: Sequence[Table], dialect: str) -> Iterator[str]:
    acts = _KEEPING[rule]
    if dialect == "postgresql":
        yield _FUNCTION.format(rule=rule, says="%', TG_TABLE_NAME")
        for table in tables:
            yield (
                f"CREATE TRIGGER {rule} BEFORE {' OR '.join(acts)} ON {table.name}"
                f" FOR EACH ROW EXECUTE FUNCTION {rule}();\n"
                f"CREATE TRIGGER {rule}_truncate BEFORE TRUNCATE ON {table.name}"
                f" EXECUTE FUNCTION {rule}();"
            )
        return
    for table in tables:
        for act in acts:
            yield (
                f"CREATE TRIGGER {rule}_{table.name}_{act.lower()} BEFORE {act} ON {table.name}\n"
                f"BEGIN SELECT RAISE(ABORT, '{rule}: {table.name}'); END;"
            )


def _transition(table: Table, steps: Transitions, dialect: str) -> str:
    name = f"{table.name}_transition"
    listed = ", ".join(f"'{old} {new}'" for old, news in steps.items() for new in news)
    other = f"OLD.state <> NEW.state AND OLD.state || ' ' || NEW.state NOT IN ({listed})"
    says = "not a step from this state'"
    if dialect == "postgresql":
        return (
            f"{_FUNCTION.format(rule=name, says=says)}\n"
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table.name} FOR EACH ROW\n"
            f"WHEN ({other}) EXECUTE FUNCTION {name}();"
        )
    return (
        f"CREATE TRIGGER {name} BEFORE UPDATE OF state ON {table.name} WHEN {other}\n"
        f"BEGIN SELECT RAISE(ABORT, '{name}: {says}); END;"
    )


_FUNCTION = """
CREATE FUNCTION {rule}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{rule}: {says}
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{rule}';
END $$;"""
