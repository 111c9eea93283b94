"""Hostile codes: each is refused by its right name, within 50 ms and 8 MB.

Every one of them stalls, swells or breaks a reader built on the libraries' defaults.
"""

from __future__ import annotations

import time
import tracemalloc
import zlib

import cbor2
import pytest

from healthcert.data import value_sets
from healthcert.hcert import ES256, b45encode, encode, inspect
from tests.hcert.barcodes import KID, NOON, SIGNER, claims_of, dcc, signed

MOST_SECONDS, MOST_BYTES = 0.050, 8 * 1024 * 1024

HEADER = cbor2.dumps({1: ES256, 4: KID})


def tag(number: int, content: bytes) -> bytes:
    """A tag around bytes that are already encoded."""
    return cbor2.dumps(cbor2.CBORTag(number, 0))[:-1] + content


def bomb(size: int) -> bytes:
    """A zlib stream of that many noughts, written without holding them."""
    press = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join([press.compress(block) for _ in range(size >> 20)]) + press.flush()


def laughs() -> bytes:
    """Thirty lists, each ten times the one before it, by shared references (tags 28, 29)."""
    first = tag(28, b"\x80")
    levels = [tag(28, b"\x8a" + tag(29, cbor2.dumps(n)) * 10) for n in range(29)]
    return cbor2.dumps([0] * 30)[:2] + first + b"".join(levels)


def outside(message: bytes) -> str:
    """A code whose message is this."""
    return "HC1:" + b45encode(zlib.compress(message, 9))


def inside(payload: bytes) -> str:
    """A code, truly signed, whose payload is this."""
    return encode(signed(payload))


REGEX = tag(35, cbor2.dumps("(?i)" + "[Ā-\uffff]" * 600))
HUGE = tag(4, cbor2.dumps([1, 0])[:-1] + tag(2, cbor2.dumps(b"\xff" * 12_000)))
MANY_KEYS = cbor2.dumps(dict.fromkeys(range(1100), 0))
UNDEFINED = cbor2.dumps({-260: {1: {"v": cbor2.undefined}}})
ROW = bytes.fromhex("a0") * 15_000

ATTACKS = {
    "longest-text": ("HC1:" + "Z" * 4292, "malformed_base45"),
    "text-too-long": ("HC1:" + "Z" * 1_000_000, "not_a_certificate"),
    "line-ends": ("HC1:" + "\n" * 4000, "malformed_base45"),
    "other-digits": ("HC1:" + "\u0661" * 4000, "malformed_base45"),
    "lone-surrogates": ("HC1:\ud800\udfff", "malformed_base45"),
    "blanks-before-the-prefix": (" " * 4000 + "HC1:", "malformed_prefix"),
    "gigabyte-of-noughts": ("HC1:" + b45encode(bomb(1 << 30)[:2860]), "malformed_zlib"),
    "four-megabytes-of-noughts": (
        "HC1:" + b45encode(zlib.compress(bytes(2_800_000), 9)),
        "malformed_zlib",
    ),
    "zlib-with-a-dictionary": ("HC1:" + b45encode(b"\x78\xbb\0\0\0\1"), "malformed_zlib"),
    "regular-expression": (outside(REGEX), "malformed_cbor"),
    "shared-references": (outside(laughs()), "malformed_cbor"),
    "a-list-that-holds-itself": (outside(tag(28, b"\x81" + tag(29, b"\0"))), "malformed_cbor"),
    "a-number-of-a-hundred-thousand-bits": (outside(HUGE), "malformed_cbor"),
    "a-mail-message": (outside(tag(36, cbor2.dumps("a:b\n" * 3000))), "malformed_cbor"),
    "exponent-of-64-bits": (outside(tag(5, b"\x82\x1b" + b"\x7f" * 8 + b"\1")), "malformed_cbor"),
    "string-references": (outside(tag(256, b"\x82" + tag(25, b"\0") * 2)), "malformed_cbor"),
    "fifteen-thousand-maps": (outside(b"\x99\x3a\x98" + ROW), "malformed_cbor"),
    "sixteen-thousand-deep": (outside(b"\x81" * 16_000 + b"\0"), "malformed_cbor"),
    "tags-a-thousand-deep": (outside(b"\xd2" * 1000 + b"\0"), "malformed_cbor"),
    "array-of-nine-exabytes": (outside(b"\x9b\x7f" + b"\xff" * 7), "malformed_cbor"),
    "bytes-of-nine-exabytes": (outside(b"\x84\x5b\x7f" + b"\xff" * 7), "malformed_cbor"),
    "eleven-hundred-keys": (outside(MANY_KEYS), "malformed_cbor"),
    "keys-that-collide": (
        outside(cbor2.dumps({n * (2**61 - 1): 0 for n in range(-8, 8)})),
        "malformed_cose",
    ),
    "array-as-key": (outside(b"\xa1" + cbor2.dumps([0] * 500) + b"\0"), "malformed_cbor"),
    "bytes-after-the-end": (outside(signed(claims_of(dcc())) + b"\0"), "malformed_cbor"),
    "header-within-a-header": (
        outside(cbor2.dumps([b"\xa1\x01" + REGEX, {}, b"", b""])),
        "malformed_cbor",
    ),
    "signature-of-ten-thousand-bytes": (
        outside(cbor2.dumps([HEADER, {}, b"", bytes(10_000)])),
        "bad_signature",
    ),
    "payload-regular-expression": (inside(REGEX), "malformed_cbor"),
    "payload-shared-references": (inside(laughs()), "malformed_cbor"),
    "payload-of-maps": (inside(b"\x99\x3a\x98" + ROW), "malformed_cbor"),
    "payload-date-of-anything": (inside(tag(0, b"\x80")), "malformed_claims"),
    "payload-date-out-of-range": (inside(tag(1, b"\xfb\x7f" + b"\xff" * 7)), "malformed_cbor"),
    "payload-undefined": (inside(UNDEFINED), "malformed_claims"),
    "expiry-endless": (inside(claims_of(dcc(), expires_at=float("inf"))), "malformed_claims"),
    "name-of-fifteen-thousand": (inside(claims_of(dcc(nam={"fnt": "K" * 15_000}))), "schema"),
    "names-that-are-keys-of-objects": (inside(claims_of(dcc(nam={"__class__": 1}))), "schema"),
    "nine-hundred-doses": (inside(claims_of(dcc(v=[{}] * 900))), "schema"),
    "nine-hundred-doses-of-old": (inside(claims_of(dcc(v=[{}] * 900, ver="1.0.0"))), "schema"),
}  # fmt: skip


def read(text: str) -> str:
    found = inspect(text, certificates=[SIGNER], at=NOON, tables=value_sets())
    assert found.refusal
    return found.refusal[0]


def seconds(text: str) -> float:
    before = time.thread_time()
    read(text)
    return time.thread_time() - before


def most_bytes(text: str) -> int:
    tracemalloc.start()
    try:
        read(text)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("text", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_a_hostile_code_is_refused_quickly_and_in_little_room(text, reason):
    assert read(text) == reason
    assert min(seconds(text) for _ in range(3)) < MOST_SECONDS
    assert most_bytes(text) < MOST_BYTES
