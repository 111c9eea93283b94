"""The first tables, as one SQL text a dialect beside this file."""

from __future__ import annotations

import re
from pathlib import Path

from alembic import op

from healthcert.models import triggers

revision = "0001"
down_revision = None


def _text() -> str:
    name = Path(__file__).with_suffix(f".{op.get_bind().dialect.name}.sql")
    return name.read_text(encoding="utf-8")


def upgrade() -> None:
    triggers.run(op.get_bind(), _text())


def downgrade() -> None:
    tables = re.findall(r"^CREATE TABLE (\w+)", _text(), flags=re.MULTILINE)
    for table in reversed(tables):
        op.drop_table(table)
