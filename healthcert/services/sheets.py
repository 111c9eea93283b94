"""Tables as spreadsheets save them: comma-separated values, read strictly and written safely."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from healthcert.errors import BadInput

MOST_BYTES = 50_000_000
MOST_ROWS = 200_000
_DELIMITERS = ",;\t"
# What a spreadsheet takes for a formula, in both widths; a quote before it makes it text.
_ACTIVE = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: its number as the spreadsheet counts, the heading being 1."""

    number: int
    cells: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)  # what could not become a cell


def read(raw: bytes, *, columns: Sequence[str], required: Sequence[str]) -> list[Line]:
    """Return the lines of a table (UTF-8); blank ones are passed over, cells stripped.

    Commas, semicolons and tabulators are understood, as is the mark that some spreadsheets put
    before the text. A quote that `write` put before a cell is taken away again.
    `columns` are the headings there may be, in any order and case.

    Raises:
        BadInput: ``file``: too_large, not_utf8, empty, not_a_table; or by heading: unknown_column,
            missing, twice.
    """
    if len(raw) > MOST_BYTES:
        raise BadInput({"file": "too_large"})
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput({"file": "not_utf8"}) from None
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise BadInput({"file": "not_a_table"}) from None
    if not table or len(table) > MOST_ROWS:
        raise BadInput({"file": "too_large" if table else "empty"})
    headings = [heading.strip().lower() for heading in table[0]]
    _refuse_headings(headings, columns, required)
    return [
        _line(number, headings, row)
        for number, row in enumerate(table[1:], 2)
        if any(cell.strip() for cell in row)
    ]


def write(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return a table whose cells no spreadsheet takes for formulas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_safe(row.get(column)) for column in columns])
    return out.getvalue()


def _refuse_headings(
    headings: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    wrong = {name: "unknown_column" for name in headings if name not in columns}
    wrong |= {name: "missing" for name in required if name not in headings}
    wrong |= {name: "twice" for name in headings if headings.count(name) > 1}
    if wrong:
        raise BadInput(wrong)


def _line(number: int, headings: Sequence[str], row: Sequence[str]) -> Line:
    if len(row) > len(headings):
        raise BadInput({f"row {number}": "too_many_cells"})
    cells = [*map(_plain, row), *[""] * (len(headings) - len(row))]
    return Line(number, dict(zip(headings, cells, strict=True)))


def _plain(cell: str) -> str:
    return cell[1:].strip() if cell[:1] == "'" and cell[1:2] in _ACTIVE else cell.strip()


def _safe(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_ACTIVE) else text
