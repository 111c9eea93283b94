"""Tables as spreadsheets save them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import BadInput
from healthcert.services import sheets

COLUMNS = ("code", "name", "phone")


def read(text, required=("code",)):
    raw = text if isinstance(text, bytes) else text.encode()
    return sheets.read(raw, columns=COLUMNS, required=required)


@pytest.mark.parametrize(
    "text",
    [
        "code,name\na,Nord\n",
        "\ufeffcode,name\r\na,Nord\r\n",
        "CODE;Name\na;Nord",
        " code \tname\n\t\na\t Nord ",
        "name,code\nNord,a",
        'code,name\n"a","Nord"\n,\n',
    ],
)
def test_what_spreadsheets_save_is_understood(text):
    (line,) = read(text)
    assert (line.cells["code"], line.cells["name"]) == ("a", "Nord")


def test_lines_are_numbered_as_the_spreadsheet_does():
    assert [line.number for line in read("code\na\n\nb\n")] == [2, 4]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", {"file": "empty"}),
        (b"code\n\xff", {"file": "not_utf8"}),
        ('code\n"a', {"file": "not_a_table"}),
        ("name\nNord", {"code": "missing"}),
        ("code,colour\na,red", {"colour": "unknown_column"}),
        ("code,code\na,b", {"code": "twice"}),
        ("code,name\na,b,c", {"row 2": "too_many_cells"}),
        ("code\n" + "a\n" * sheets.MOST_ROWS, {"file": "too_large"}),
        (b"c" * (sheets.MOST_BYTES + 1), {"file": "too_large"}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_such_table_is_refused_by_name(text, wrong):
    with pytest.raises(BadInput) as caught:
        read(text)
    assert caught.value.fields == wrong


@pytest.mark.parametrize("formula", ["=1+1", "+44 7700", "-1", "@SUM(A1)", "\uff1dHYPERLINK()"])
def test_no_cell_is_a_formula_and_it_comes_in_as_it_was(formula):
    table = sheets.write(("code", "name"), [{"code": "a", "name": formula}])
    cell = list(csv.reader(io.StringIO(table)))[1][1]
    assert cell == f"'{formula}"
    assert read(table)[0].cells["name"] == formula


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_what_goes_out_comes_in_again(rows):
    given_out = [{"code": f"x{code}", "name": name.strip()} for code, name in rows]
    lines = read(sheets.write(("code", "name"), given_out))
    quoted = [(row["code"].strip(), row["name"].strip()) for row in given_out]
    assert [(line.cells["code"], line.cells["name"]) for line in lines] == quoted
