"""The modules of a QR code, held to what `qrcode` draws."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.util import MODE_ALPHA_NUM, QRData

from healthcert.hcert.qr_modules import modules

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LONGEST = 2420  # ISO/IEC 18004 table 7: version 40, Q, alphanumeric


def drawn_by_library(text: str) -> list[str]:
    code = QRCode(error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=0)
    code.add_data(QRData(text.encode(), mode=MODE_ALPHA_NUM))
    code.make(fit=True)
    return ["".join("01"[module] for module in row) for row in code.modules]


@settings(max_examples=40, deadline=None)
@given(st.text(LETTERS, min_size=1, max_size=600))
def test_every_module_is_as_the_library_draws_it(text):
    assume("0" * 8 not in text)  # the library cannot draw a block of nothing but zeros; we can
    assert modules(text) == drawn_by_library(text)


@pytest.mark.parametrize("length", [700, 1_000, 1_500, LONGEST])
def test_long_texts_too(length):
    text = "".join(Random(length).choices(LETTERS, k=length))
    assert modules(text) == drawn_by_library(text)


def test_the_smallest_version_that_holds_a_text_is_taken():
    sides = {length: len(modules("A" * length)) for length in (16, 17, 29, 30, LONGEST)}
    assert sides == {16: 21, 17: 25, 29: 25, 30: 29, LONGEST: 177}


@pytest.mark.parametrize("text", ["hc1:lower", "HC1:é", "A" * (LONGEST + 1)])
def test_what_no_code_holds_is_our_mistake(text):
    with pytest.raises(ValueError, match="QR code"):
        modules(text)
