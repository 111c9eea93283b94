"""Cartons: what a scanner reads is what the carton says, or a refusal with a reason."""

from __future__ import annotations

from datetime import date
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import BadInput
from healthcert.policy.gs1 import LONGEST, Carton, is_gtin, read

TODAY = date(2026, 3, 2)
GS = "\x1d"
# The example of the GS1 General Specifications and what its parts mean.
GTIN = "09521234543213"

texts = st.text("!\"%&'()*+,-./:;<=>?_" + digits + ascii_letters, min_size=1, max_size=20)
days = st.dates(date(TODAY.year - 49, 1, 1), date(TODAY.year + 50, 12, 31))


def checked(number: str) -> str:
    """Return 13 digits with their check digit (GS1 General Specifications, section 7.9)."""
    odd, even = sum(map(int, number[0::2])), sum(map(int, number[1::2]))
    return f"{number}{-(3 * odd + even) % 10}"


def wrong(text: str) -> str:
    with pytest.raises(BadInput) as refused:
        read(text, today=TODAY)
    return refused.value.fields["scan"]


@pytest.mark.parametrize(
    "text",
    [
        f"(01){GTIN}(17)270131(10)ABC123(21)S1",
        f"01{GTIN}1727013110ABC123{GS}21S1",
        f"]d201{GTIN}1727013110ABC123{GS}21S1",
        f"]d2{GS}01{GTIN}1727013110ABC123{GS}21S1{GS}",
        f"{GS}01{GTIN}21S1{GS}1727013110ABC123\r\n",
        f"]C101{GTIN}1126010117270131{GS}10ABC123{GS}71234567{GS}21S1",
    ],
)
def test_every_way_of_writing_a_carton_says_the_same(text):
    assert read(text, today=TODAY) == Carton(GTIN, "ABC123", "S1", date(2027, 1, 31))


@given(number=st.text(digits, min_size=13, max_size=13), lot=texts, serial=texts, day=days)
def test_what_a_carton_was_made_of_is_read_from_it(number, lot, serial, day):
    gtin = checked(number)
    told = Carton(gtin, lot, serial, day)
    scanned = f"]d201{gtin}17{day:%y%m%d}10{lot}{GS}21{serial}"
    assert read(scanned, today=TODAY) == told


@given(
    number=st.text(digits, min_size=13, max_size=13), at=st.integers(0, 13), by=st.integers(1, 9)
)
def test_one_digit_that_is_misread_is_noticed(number, at, by):
    gtin = checked(number)
    misread = gtin[:at] + str((int(gtin[at]) + by) % 10) + gtin[at + 1 :]
    assert is_gtin(gtin)
    assert not is_gtin(misread)


@given(st.text(max_size=LONGEST + 20) | st.text(f"0127]d(){GS}A", max_size=60))
def test_whatever_is_scanned_is_read_or_refused(text):
    try:
        found = read(text, today=TODAY)
    except BadInput:
        return
    assert found.gtin or found.lot or found.serial


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("260200", date(2026, 2, 28)),
        ("280200", date(2028, 2, 29)),
        ("270401", date(2027, 4, 1)),
        ("760101", date(2076, 1, 1)),
        ("770101", date(1977, 1, 1)),
    ],
)
def test_a_day_may_be_the_last_of_its_month_and_a_year_is_the_nearest(text, day):
    assert read(f"(10)A(17){text}", today=TODAY).expires_on == day


def test_the_nearest_year_may_lie_in_the_next_century_or_the_last():
    assert read("(10)A(17)020101", today=date(2099, 1, 1)).expires_on == date(2102, 1, 1)
    assert read("(10)A(17)990101", today=date(2101, 1, 1)).expires_on == date(2099, 1, 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_a_carton"),
        ("CM4821", "not_a_carton"),
        ("(01)" + GTIN + "x", "check_digit"),
        (f"01{GTIN[:-1]}4", "check_digit"),
        ("(10)A(17)261301", "not_a_date"),
        ("(10)A(17)260230", "not_a_date"),
        ("(10)A(17)27013A", "not_a_date"),
        ("(10)A(17)", "not_a_carton"),
        ("(10)A(10)B", "twice"),
        (f"10A{GS}10B", "twice"),
        (f"01{GTIN[:5]}{GS}10A", "not_a_carton"),
        ("(17)270131", "not_a_carton"),
        ("(10)" + "A" * 21, "not_a_carton"),
        ("10" + "A" * LONGEST, "not_a_carton"),
    ],
)
def test_what_is_no_carton_is_refused_with_the_reason(text, code):
    assert wrong(text) == code
