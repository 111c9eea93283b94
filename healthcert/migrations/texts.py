"""The SQL of a step, one text a dialect beside its file; what takes it back follows `-- down`."""

from collections.abc import Callable
from pathlib import Path

from alembic import op

from healthcert.models import triggers

_DIVIDER = "\n-- down\n"


def step(file: str) -> tuple[str, str | None, Callable[[], None], Callable[[], None]]:
    """Return what Alembic asks of a step, given its `__file__`: number, the one before, both ways.

    The names of the files count the steps: each follows the one whose name comes before.
    """
    path = Path(file)
    earlier = [each.name for each in path.parent.glob("[0-9]*.py") if each.name < path.name]
    before = max(earlier, default="").partition("_")[0] or None

    def upgrade() -> None:
        _run(path, 0)

    def downgrade() -> None:
        _run(path, 1)

    return path.name.partition("_")[0], before, upgrade, downgrade


def _run(path: Path, part: int) -> None:
    connection = op.get_bind()
    text = path.with_suffix(f".{connection.dialect.name}.sql").read_text(encoding="utf-8")
    triggers.run(connection, text.split(_DIVIDER)[part])
