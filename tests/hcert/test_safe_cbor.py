"""The guard: what a certificate may hold is read, everything else is refused before it is built."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from healthcert.errors import MalformedCbor
from healthcert.hcert import safe_cbor
from healthcert.hcert.safe_cbor import INNER, OUTER

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.binary(max_size=300)
)
KEYS = st.text(max_size=5) | st.binary(max_size=5) | st.integers(-300, 300)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=30,
)


@given(VALUES)
def test_what_was_written_comes_back(value):
    assert safe_cbor.loads(safe_cbor.dumps(value), tags=INNER) == value


@given(st.binary(max_size=80))
@example(bytes.fromhex("f98000"))
def test_any_bytes_at_all_are_read_as_the_library_reads_them_or_refused(data):
    try:
        ours = safe_cbor.loads(data, tags=OUTER)
    except MalformedCbor:
        return
    theirs = cbor2.loads(data)
    assert repr(ours) == repr(theirs)


def nest(levels: int) -> bytes:
    return b"\x81" * levels + b"\x00"


def test_twelve_levels_are_read_and_thirteen_are_not():
    assert safe_cbor.loads(nest(12), tags=INNER)
    with pytest.raises(MalformedCbor):
        safe_cbor.loads(nest(13), tags=INNER)


@pytest.mark.parametrize("level", [b"\xa1\x00", b"\xa1\x61a", b"\x81"])
def test_each_level_is_one_level_whatever_holds_it(level):
    assert safe_cbor.loads(level * 12 + b"\x00", tags=INNER)
    with pytest.raises(MalformedCbor, match="12 levels"):
        safe_cbor.loads(level * 13 + b"\x00", tags=INNER)
    with pytest.raises(MalformedCbor, match="12 levels"):
        safe_cbor.loads(level * 12 + b"\xa0", tags=INNER)


@pytest.mark.parametrize("size", [1, 2, 4, 8])
@pytest.mark.parametrize("major", [0x40, 0x60])
def test_a_length_may_be_written_in_any_size(major, size):
    head = {1: 24, 2: 25, 4: 26, 8: 27}[size]
    item = bytes((major | head,)) + (3).to_bytes(size) + b"abc"
    assert safe_cbor.loads(item, tags=INNER) in (b"abc", "abc")
    assert list(safe_cbor.loads(b"\xa1" + item + item, tags=INNER).values()) in (["abc"], [b"abc"])
    for reserved in (28, 29, 30, 31):
        with pytest.raises(MalformedCbor, match="indefinite or reserved"):
            safe_cbor.loads(bytes((major | reserved,)) + bytes(16), tags=INNER)


@pytest.mark.parametrize("key", [b"\x80", b"\xa0", b"\xc0\x61a", b"\xf4", b"\xf6", b"\xf9\x3c\x00"])
def test_a_key_is_a_number_a_text_or_bytes(key):
    with pytest.raises(MalformedCbor, match="neither number nor text nor bytes"):
        safe_cbor.loads(b"\xa1" + key + b"\x00", tags=OUTER)


def test_511_entries_are_read_and_one_more_is_not():
    entries = dict.fromkeys(range(511), 0)
    assert safe_cbor.loads(cbor2.dumps(entries), tags=INNER) == entries
    with pytest.raises(MalformedCbor, match="1024 items"):
        safe_cbor.loads(cbor2.dumps(entries | {"one": "more"}), tags=INNER)


def test_a_thousand_and_twenty_four_items_are_read_and_one_more_is_not():
    assert safe_cbor.loads(cbor2.dumps([0] * 1023), tags=INNER)
    for many in ([0] * 1024, dict.fromkeys(range(512), 0), [[0] * 511, [0] * 511]):
        with pytest.raises(MalformedCbor):
            safe_cbor.loads(cbor2.dumps(many), tags=INNER)


def test_long_forms_of_small_numbers_are_read():
    assert safe_cbor.loads(bytes.fromhex("9a00000002190001f90000"), tags=INNER) == [1, 0.0]


def test_each_place_takes_its_own_tags():
    text = cbor2.dumps(cbor2.CBORTag(0, "2026-03-02T12:00:00Z"))
    assert safe_cbor.loads(text, tags=INNER) == "2026-03-02T12:00:00Z"
    assert safe_cbor.loads(b"\xd2\x80", tags=OUTER) == cbor2.CBORTag(18, [])
    for data, tags in ((text, OUTER), (b"\xd2\x80", INNER)):
        with pytest.raises(MalformedCbor):
            safe_cbor.loads(data, tags=tags)


REFUSED = {
    "nothing": "",
    "two-items": "0000",
    "bytes-cut-short": "4401",
    "text-cut-short": "6261",
    "array-cut-short": "8201",
    "map-without-its-value": "a101",
    "argument-cut-short": "1b0000",
    "length-of-nine-exabytes": "5b7fffffffffffffff",
    "array-of-nine-exabytes": "9b7fffffffffffffff",
    "map-of-nine-exabytes": "bb7fffffffffffffff",
    "indefinite-bytes": "5f4101ff",
    "indefinite-array": "9f01ff",
    "indefinite-map": "bf0101ff",
    "stray-break": "ff",
    "reserved-length": "1c",
    "reserved-length-of-an-array": "9c",
    "undefined-simple-value": "e0",
    "long-simple-value": "f8ff",
    "not-utf-8": "61ff",
    "a-surrogate-as-utf-8": "63eda080",
    "the-same-key-twice": "a201010102",
    "the-same-key-in-two-lengths": "a20101180102",
    "a-null-as-key": "a1f601",
    "a-float-as-key": "a1f93c0001",
    "an-array-as-key": "a1800102",
    "a-map-as-key": "a1a001",
    "a-tagged-key": "a1c06001",
    "an-endless-key": "a15f01",
    "unknown-tag": "d8636161",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_no_certificate_needs_is_refused(data):
    with pytest.raises(MalformedCbor):
        safe_cbor.loads(bytes.fromhex(data), tags=OUTER)


@pytest.mark.parametrize(
    "tag", [1, 2, 3, 4, 5, 21, 24, 28, 29, 30, 35, 36, 37, 52, 256, 258, 55799]
)
def test_tags_that_make_a_library_work_are_refused_before_their_content_is_read(tag):
    head = cbor2.dumps(cbor2.CBORTag(tag, 0))[:-1]
    for tags in (INNER, OUTER):
        with pytest.raises(MalformedCbor):
            safe_cbor.loads(head + b"\x61\x61", tags=tags)


@given(st.lists(st.one_of(st.binary(max_size=40), st.lists(st.text(max_size=3)))))
def test_a_sequence_is_cut_where_its_items_end(items):
    encoded = [safe_cbor.dumps(item) for item in items]
    assert safe_cbor.split(b"".join(encoded), most=len(items)) == encoded


@pytest.mark.parametrize("data", [b"\x00\x41", b"\x00\x58", b"\x00\x5f", b"\x00\x00\x00"])
def test_what_is_no_sequence_or_too_long_a_one_is_refused(data):
    with pytest.raises(MalformedCbor):
        safe_cbor.split(data, most=2)
