"""Barcode text: what is written comes back, and everything else is refused by its right name."""

from __future__ import annotations

import zlib

import base45
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from healthcert.errors import (
    BadCertificate,
    MalformedBase45,
    MalformedPrefix,
    MalformedZlib,
    NotACertificate,
)
from healthcert.hcert import b45decode, b45encode, decode, encode, inflate, strip_prefix

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
RFC_9285 = {b"AB": "BB8", b"Hello!!": "%69 VD92EX0", b"base-45": "UJCLQE7W581", b"": ""}


@given(st.binary(max_size=2000))
def test_a_message_comes_back_from_its_text(message):
    assert decode(encode(message)) == message


@pytest.mark.parametrize(("data", "text"), RFC_9285.items())
def test_the_examples_of_the_rfc_hold(data, text):
    assert (b45encode(data), b45decode(text)) == (text, data)


@given(st.binary(max_size=300))
def test_base45_is_written_as_the_reference_package_writes_it(data):
    assert b45encode(data) == base45.b45encode(data).decode()


@given(st.text(ALPHABET, max_size=12) | st.text(max_size=12))
@example("GGW")  # 65,535: the most that three characters may say
@example("GGX")
@example("GGWGGX")
@example("U5")  # 255
@example("V5")
@example(":::")
@example("ab")
@example("Ā")
@example("A")
def test_base45_is_read_as_the_reference_package_reads_it(text):
    if text.endswith("\n"):
        text += "!"  # the package drops line ends; we do not
    try:
        expected = base45.b45decode(text)
    except ValueError:
        with pytest.raises(MalformedBase45):
            b45decode(text)
    else:
        assert b45decode(text) == expected


def test_a_line_end_is_not_base45():
    with pytest.raises(MalformedBase45):
        b45decode("BB8\n")


@pytest.mark.parametrize("text", ["HC2:ABC", "HL0:ABC", "hc1:ABC", " HC1:ABC", "NCFOXN", "6BF+70"])
def test_a_certificate_with_another_prefix_or_none_is_told_from_other_texts(text):
    with pytest.raises(MalformedPrefix):
        strip_prefix(text)


@pytest.mark.parametrize(
    "text", ["", "hello", "https://example.org", "{", "HC1", "HC1:" + "A" * 4293]
)
def test_other_texts_are_no_certificates(text):
    with pytest.raises(NotACertificate):
        strip_prefix(text)


def test_a_text_as_long_as_the_largest_code_is_read():
    assert len(strip_prefix("HC1:" + "A" * 4292)) == 4292


STREAM = zlib.compress(b"x" * 40)
BROKEN = {
    "nothing": b"",
    "not-a-stream": b"\xd2\x84",
    "half-a-stream": STREAM[:-5],
    "checksum-missing": STREAM[:-1],
    "checksum-wrong": STREAM[:-1] + bytes((STREAM[-1] ^ 1,)),
    "something-after": STREAM + b"\0",
    "two-streams": STREAM * 2,
    "one-byte-too-much": zlib.compress(bytes(16 * 1024 + 1)),
    "bomb": zlib.compress(bytes(10_000_000), 9),
    "raw-deflate": STREAM[2:-4],
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_not_one_whole_bounded_stream_is_refused(data):
    with pytest.raises(MalformedZlib):
        inflate(data)


def test_sixteen_kibibytes_are_not_too_much():
    assert len(inflate(zlib.compress(bytes(16 * 1024)))) == 16 * 1024


@given(st.text(max_size=60) | st.text(ALPHABET, max_size=60).map("HC1:".__add__))
def test_any_text_at_all_is_refused_politely(text):
    with pytest.raises(BadCertificate):
        decode(text)
