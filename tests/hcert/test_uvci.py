"""The identifier of a certificate."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.hcert import uvci

TEXT = st.text(uvci.ALPHABET, min_size=1, max_size=60)


def test_the_check_character_of_the_published_example_is_z():
    assert uvci.check_character("URN:UVCI:01:NL:187/37512422923") == "Z"


@given(TEXT, st.data())
def test_one_wrong_character_changes_the_check_character(text, data):
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([c for c in uvci.ALPHABET if c != text[place]]))
    wrong = text[:place] + other + text[place + 1 :]
    assert uvci.check_character(wrong) != uvci.check_character(text)


@given(st.binary(min_size=10, max_size=16))
def test_a_new_identifier_has_the_form_and_the_check_the_schema_asks_for(random):
    identifier = uvci.new("XX", "HC", random)
    assert re.fullmatch(r"URN:UVCI:01:XX:HC/[A-Z2-7]{16,26}#[A-Z0-9/:]", identifier)
    text, _, check = identifier.rpartition("#")
    assert uvci.check_character(text) == check
    assert len(identifier) <= 72


def test_other_random_bytes_give_another_identifier():
    made = {uvci.new("XX", "HC", bytes([n] * 10)) for n in range(256)}
    assert len(made) == 256


@pytest.mark.parametrize(
    ("country", "issuer", "random"),
    [("xx", "HC", bytes(10)), ("XX", "", bytes(10)), ("XX", "H/C", bytes(10)), ("XX", "HC", b"")],
)
def test_a_shape_that_is_our_mistake_is_not_issued(country, issuer, random):
    with pytest.raises(ValueError, match=r"random bytes|country and an issuer"):
        uvci.new(country, issuer, random)
