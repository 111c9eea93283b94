"""References are read out, misheard and mistyped; they still find the appointment."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import BadInput
from healthcert.policy import reference

NUMBERS = st.integers(0, reference.BEFORE - 1)


@given(NUMBERS)
def test_what_is_written_is_read_back(number):
    text = reference.write(number)
    assert re.fullmatch(r"HC-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", text)
    assert reference.read(text) == text


@given(NUMBERS)
def test_lower_case_missing_dashes_and_misheard_letters_are_understood(number):
    text = reference.write(number)
    heard = text[3:].replace("-", "").lower().replace("0", "o").replace("1", "l")
    assert reference.read(heard) == text
    assert reference.read("hc " + heard.replace("l", "i")) == text


@given(NUMBERS, st.integers(0, 7), st.sampled_from(reference.ALPHABET))
def test_one_wrong_character_is_always_seen(number, place, letter):
    body = list(reference.write(number)[3:].replace("-", ""))
    if body[place] == letter:
        return
    body[place] = letter
    with pytest.raises(BadInput) as refused:
        reference.read("".join(body))
    assert refused.value.fields == {"reference": "not_a_reference"}


@given(NUMBERS, st.integers(0, 7), st.integers(0, 7))
def test_two_exchanged_characters_are_always_seen(number, one, other):
    body = list(reference.write(number)[3:].replace("-", ""))
    if body[one] == body[other]:
        return
    body[one], body[other] = body[other], body[one]
    with pytest.raises(BadInput):
        reference.read("".join(body))


@pytest.mark.parametrize("typed", ["HC-7K4M", "U" * 8, "HC-7K4M-2QX\u00df", "é" * 8, "1" * 4000])
def test_what_is_no_reference_is_refused_by_name(typed):
    with pytest.raises(BadInput) as refused:
        reference.read(typed)
    assert refused.value.fields == {"reference": "not_a_reference"}


def test_nothing_typed_is_missing():
    with pytest.raises(BadInput) as refused:
        reference.read("  ")
    assert refused.value.fields == {"reference": "missing"}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "HC-0000-0000"),
        (1, "HC-0000-0012"),
        (31, "HC-0000-00ZV"),
        (32**6, "HC-1000-000M"),
        (32**7 - 1, "HC-ZZZZ-ZZZC"),
    ],
)
def test_a_number_has_one_reference_and_its_check_letter(number, text):
    assert reference.write(number) == text
    assert reference.read(text) == text


def test_there_are_32_to_the_seventh_references():
    assert reference.BEFORE == 34_359_738_368
    assert len({reference.write(reference.BEFORE - 1), reference.write(0)}) == 2


def test_forty_letters_are_looked_at_and_no_more():
    text = reference.write(1)
    assert reference.read(" " * (40 - len(text)) + text) == text
    with pytest.raises(BadInput):
        reference.read(" " * (41 - len(text)) + text)
