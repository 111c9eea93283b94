"""The SQL of a step, one text a dialect beside its file; what takes it back follows `-- down`."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from healthcert.models import triggers

_DIVIDER = "\n-- down\n"


def up(step: str) -> None:
    """Run the SQL of a step, given its module's `__file__`."""
    _run(step, 0)


def down(step: str) -> None:
    """Run the SQL that takes a step back."""
    _run(step, 1)


def _run(step: str, part: int) -> None:
    connection = op.get_bind()
    path = Path(step).with_suffix(f".{connection.dialect.name}.sql")
    triggers.run(connection, path.read_text(encoding="utf-8").split(_DIVIDER)[part])
