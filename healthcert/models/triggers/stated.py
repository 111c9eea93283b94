"""The rules that many tables share: a table states them of itself, `each/` says what they mean.

__table_args__ = (..., stated(append_only=True))
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData

Transitions = Mapping[str, Sequence[str]]

_FOLDER = Path(__file__).resolve().parent / "each"
_RULES = ("append_only", "never_deleted", "transitions")


def stated(
    *, append_only: bool = False, never_deleted: bool | str = False,
    transitions: Transitions | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the last of a table's `__table_args__`, which states the rules it keeps.

    `append_only`: nothing of a row changes, and no row goes. `never_deleted`: no row goes; or, as
    SQL over OLD, no row of which this is true. `transitions`: what may follow each `state`.
    """
    rules = (append_only, never_deleted, transitions)
    return {"info": dict(zip(_RULES, rules, strict=True))}


def texts(metadata: MetaData, dialect: str) -> dict[str, str]:
    """Return the SQL of the stated rules of all tables in one dialect, by rule and table."""
    found = {}
    for rule in _RULES:
        text = (_FOLDER / f"{rule}.{dialect}.sql").read_text(encoding="utf-8")
        for name, table in sorted(metadata.tables.items()):
            if value := table.info.get(rule):
                when = value if isinstance(value, str) else "1 = 1"
                filled = text.replace("{table}", name).replace("{steps}", _steps(value))
                filled = filled.replace("{when}", when)
                found[f"{rule} {name}"] = filled
    return found


def _steps(value: object) -> str:
    listed = value.items() if isinstance(value, Mapping) else ()
    return ", ".join(f"'{old} {new}'" for old, news in listed for new in news)
