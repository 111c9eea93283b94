"""Write the SQL of `migrations/versions/0001_first_tables` from the models.

    python tools/first_migration.py

Until the first release the first migration is made anew whenever the models change; once a
database must keep its rows it is history, and this file goes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from healthcert.models import Base  # noqa: E402 - found only now

VERSIONS = ROOT / "healthcert" / "migrations" / "versions"


def statements(dialect: Dialect) -> list[str]:
    """Return the statements that make every table, each after those it points at."""
    found: list[str] = []
    for table in Base.metadata.sorted_tables:
        found.append(str(CreateTable(table).compile(dialect=dialect)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        found += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    return [re.sub(r"[ \t]+$", "", each.strip(), flags=re.MULTILINE) for each in found]


def main() -> None:
    """Write one text a dialect."""
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        text = ";\n\n".join(statements(dialect)) + ";\n"
        path = VERSIONS / f"0001_first_tables.{dialect.name}.sql"
        path.write_text(text.replace("\t", "  "), encoding="utf-8")


if __name__ == "__main__":
    main()
