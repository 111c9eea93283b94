"""Hostile codes: each is refused by its right name, within 50 ms and 8 MB.

Every one of them stalls, swells or breaks a reader built on the libraries' defaults.
"""

from __future__ import annotations

import gzip
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import cbor2
import pytest

from healthcert.data import value_sets
from healthcert.errors import BadPicture
from healthcert.hcert import (
    ES256,
    PS256,
    TrustList,
    b45encode,
    encode,
    from_certificate,
    inspect,
    qr,
)
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.revocation import RevocationList
from healthcert.policy.entry import judge
from tests.hcert.barcodes import KID, NOON, SIGNER, TEST, VACCINATION, claims_of, dcc, signed

MOST_SECONDS, MOST_BYTES = 0.050, 8 * 1024 * 1024

HEADER = cbor2.dumps({1: ES256, 4: KID})


def tag(number: int, content: bytes) -> bytes:
    """A tag around bytes that are already encoded."""
    return cbor2.dumps(cbor2.CBORTag(number, 0))[:-1] + content


@cache
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


def parts(*given: object) -> str:
    """A code whose message has these parts; those not given are empty."""
    usual = [b"", {}, b"", b""]
    return outside(cbor2.dumps([*given, *usual[len(given) :]]))


def blocks(count: int) -> bytes:
    """A zlib stream of so many stored blocks that hold nothing, and no last one."""
    return b"\x78\x9c" + b"\0\0\0\xff\xff" * count


def nested(levels: int) -> object:
    """Lists within lists."""
    return [nested(levels - 1)] if levels else []


GENUINE = signed(claims_of(dcc()))
TWICE = b"\xa2\1\0\1\0"
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
    # A longer one begins with the same bytes.
    "gigabyte-of-noughts": ("HC1:" + b45encode(bomb(64 << 20)[:2860]), "malformed_zlib"),
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
    "nothing": ("", "not_a_certificate"),
    "prefix-alone": ("HC1:", "malformed_zlib"),
    "prefixes-over-and-over": ("HC1:" * 1000, "malformed_base45"),
    "one-character-left-over": ("HC1:" + "0" * 3001, "malformed_base45"),
    "three-characters-of-more-than-two-bytes": ("HC1:" + ":" * 4290, "malformed_base45"),
    "a-nul": ("HC1:\0" + "0" * 4000, "malformed_base45"),
    "wide-digits": ("HC1:" + "\uff11" * 4000, "malformed_base45"),
    "letters-beyond-the-first-plane": ("\U0001f4a3" * 4000, "not_a_certificate"),
    "zlib-of-nothing": (outside(b""), "malformed_cbor"),
    "zlib-cut-short": ("HC1:" + b45encode(zlib.compress(GENUINE)[:-1]), "malformed_zlib"),
    "zlib-with-a-wrong-sum": (
        "HC1:" + b45encode(zlib.compress(GENUINE)[:-4] + b"\0\0\0\0"),
        "malformed_zlib",
    ),
    "two-zlib-streams": ("HC1:" + b45encode(zlib.compress(GENUINE) * 2), "malformed_zlib"),
    "zlib-of-zlib": (outside(zlib.compress(GENUINE)), "malformed_cbor"),
    "zlib-without-its-head": ("HC1:" + b45encode(zlib.compress(GENUINE)[2:]), "malformed_zlib"),
    "gzip": ("HC1:" + b45encode(gzip.compress(GENUINE)), "malformed_zlib"),
    "a-thousand-empty-blocks": ("HC1:" + b45encode(blocks(500)), "malformed_zlib"),
    "sixteen-kilobytes-and-one": (outside(bytes(16 * 1024 + 1)), "malformed_zlib"),
    "map-of-nine-exabytes": (outside(b"\xbb\x7f" + b"\xff" * 7), "malformed_cbor"),
    "text-of-nine-exabytes": (outside(b"\x7b\x7f" + b"\xff" * 7), "malformed_cbor"),
    "array-of-four-milliards": (outside(b"\x9a" + b"\xff" * 4), "malformed_cbor"),
    "array-without-an-end": (outside(b"\xd2\x9f" + b"\x40" * 9000), "malformed_cbor"),
    "bytes-in-endless-pieces": (outside(b"\xd2\x84\x5f" + b"\x40" * 9000), "malformed_cbor"),
    "a-break-alone": (outside(b"\xff"), "malformed_cbor"),
    "reserved-lengths": (outside(b"\x9c\x9d\x9e" * 4000), "malformed_cbor"),
    "maps-a-thousand-deep": (outside(b"\xa1\0" * 1000 + b"\0"), "malformed_cbor"),
    "thirteen-levels": (outside(b"\x81" * 13 + b"\0"), "malformed_cbor"),
    "bits-that-mean-nothing": (outside(b"\x84" + b"\xe0\xf8\x10" * 4), "malformed_cbor"),
    "map-as-key": (outside(b"\xa1\xa0\0"), "malformed_cbor"),
    "tag-as-key": (outside(b"\xa1" + tag(2, b"\x41\1") + b"\0"), "malformed_cbor"),
    "not-a-number-as-key-twice": (outside(b"\xa2" + b"\xf9\x7e\0\0" * 2), "malformed_cbor"),
    "a-key-twice": (
        outside(cbor2.dumps([b"", 0, b"", b""]).replace(b"\0", TWICE)),
        "malformed_cbor",
    ),
    "one-key-in-two-lengths": (outside(b"\x84\x40\xa2\1\0\x18\1\0\x40\x40"), "malformed_cbor"),
    "a-set": (outside(tag(258, b"\x81\0")), "malformed_cbor"),
    "an-address": (outside(tag(52, b"\x44\x7f\0\0\1")), "malformed_cbor"),
    "a-fraction": (outside(tag(30, b"\x82\1\0")), "malformed_cbor"),
    "a-self-described-message": (outside(tag(55799, GENUINE)), "malformed_cbor"),
    "text-that-is-no-utf8": (outside(b"\x84\x62\xc3\x28\xa0\x40\x40"), "malformed_cbor"),
    "a-number": (outside(b"\0"), "malformed_cose"),
    "three-parts": (outside(cbor2.dumps([HEADER, {}, b""])), "malformed_cose"),
    "five-parts": (outside(cbor2.dumps([HEADER, {}, b"", b"", b""])), "malformed_cose"),
    "tag-18-within-tag-18": (outside(tag(18, GENUINE)), "malformed_cose"),
    "tag-61-within-tag-61": (outside(tag(61, tag(61, GENUINE))), "malformed_cose"),
    "tag-61-without-18": (outside(tag(61, cbor2.dumps([HEADER, {}, b"", b""]))), "malformed_cose"),
    "tag-98-of-many-signers": (outside(tag(98, b"\x84\x40\xa0\x40\x80")), "malformed_cbor"),
    "tag-96-of-the-encrypted": (outside(tag(96, b"\x84\x40\xa0\x40\x80")), "malformed_cbor"),
    "header-of-text": (parts("header"), "malformed_cose"),
    "header-of-null": (parts(None), "malformed_cose"),
    "header-that-is-a-map": (parts({1: ES256, 4: KID}), "malformed_cose"),
    "header-of-a-list": (parts(cbor2.dumps([1, 2])), "malformed_cose"),
    "header-with-bytes-after-it": (parts(HEADER + b"\0"), "malformed_cbor"),
    "header-with-a-key-twice": (parts(b"\xa2\1\x26\1\x26"), "malformed_cbor"),
    "header-with-a-tag": (parts(b"\xa1\1" + tag(2, b"\x41\6")), "malformed_cbor"),
    "header-of-ten-thousand-bytes": (
        parts(cbor2.dumps({1: ES256, 9: bytes(9990)})),
        "unknown_issuer",
    ),
    "header-ever-new": (parts(cbor2.dumps({1: ES256, 4: bytes(50)})), "unknown_issuer"),
    "unprotected-of-bytes": (parts(HEADER, b"\xa0"), "malformed_cose"),
    "unprotected-of-a-list": (parts(HEADER, []), "malformed_cose"),
    "unprotected-of-a-thousand": (parts(HEADER, dict.fromkeys(range(500))), "bad_signature"),
    "payload-detached": (parts(HEADER, {}, None), "malformed_cose"),
    "payload-of-text": (parts(HEADER, {}, "payload"), "malformed_cose"),
    "signature-of-null": (parts(HEADER, {}, b"", None), "malformed_cose"),
    "signature-of-a-list": (parts(HEADER, {}, b"", [1, 2]), "malformed_cose"),
    "signature-of-nothing": (parts(HEADER), "bad_signature"),
    "signature-of-noughts": (parts(HEADER, {}, b"", bytes(64)), "bad_signature"),
    "signature-above-the-order": (parts(HEADER, {}, b"", b"\xff" * 64), "bad_signature"),
    "signature-one-byte-short": (parts(HEADER, {}, b"", bytes(63)), "bad_signature"),
    "algorithm-none": (parts(cbor2.dumps({1: 0, 4: KID})), "malformed_cose"),
    "algorithm-missing": (parts(cbor2.dumps({4: KID})), "malformed_cose"),
    "algorithm-by-name": (parts(cbor2.dumps({1: "ES256", 4: KID})), "malformed_cose"),
    "algorithm-of-a-shared-secret": (parts(cbor2.dumps({1: 5, 4: KID})), "malformed_cose"),
    "algorithm-as-a-fraction": (parts(cbor2.dumps({1: -7.0, 4: KID})), "malformed_cose"),
    "algorithm-as-a-list": (parts(cbor2.dumps({1: [ES256], 4: KID})), "malformed_cose"),
    "algorithm-of-another-key": (parts(cbor2.dumps({1: PS256, 4: KID})), "bad_signature"),
    "critical-and-not-understood": (parts(cbor2.dumps({1: ES256, 2: [99]})), "malformed_cose"),
    "critical-of-lists": (parts(cbor2.dumps({1: ES256, 2: [[[]]] * 300})), "malformed_cose"),
    "critical-of-the-wrong-type": (parts(cbor2.dumps({1: ES256, 2: 1})), "malformed_cose"),
    "key-identifier-of-text": (parts(cbor2.dumps({1: ES256, 4: "k"})), "malformed_cose"),
    "key-identifier-of-a-list": (parts(cbor2.dumps({1: ES256, 4: [KID]})), "malformed_cose"),
    "key-identifier-of-ten-thousand": (parts(HEADER[:3], {4: bytes(9000)}), "malformed_cbor"),
    "key-identifier-longer-by-a-byte": (
        parts(cbor2.dumps({1: ES256, 4: KID + b"\0"})),
        "unknown_issuer",
    ),
    "key-identifier-of-nothing": (parts(cbor2.dumps({1: ES256, 4: b""})), "unknown_issuer"),
    "payload-of-nothing": (inside(b""), "malformed_cbor"),
    "payload-a-list": (inside(b"\x80"), "malformed_claims"),
    "payload-a-text": (inside(cbor2.dumps("claims")), "malformed_claims"),
    "payload-with-bytes-after-it": (inside(claims_of(dcc()) + b"\0"), "malformed_cbor"),
    "payload-deep": (inside(cbor2.dumps({-260: {1: nested(13)}})), "malformed_cbor"),
    "payload-big-number": (
        inside(b"\xa1\4" + tag(2, cbor2.dumps(b"\xff" * 9000))),
        "malformed_cbor",
    ),
    "payload-decimal": (
        inside(b"\xa1\4" + tag(4, b"\x82\x1a\xff\xff\xff\xff\1")),
        "malformed_cbor",
    ),
    "payload-uuid": (inside(b"\xa1\1" + tag(37, cbor2.dumps(bytes(16)))), "malformed_cbor"),
    "payload-key-twice": (inside(b"\xa2\4\0\4\1"), "malformed_cbor"),
    "payload-key-that-is-a-list": (inside(b"\xa1\x80\0"), "malformed_cbor"),
    "payload-within-tag-18": (inside(signed(b"")), "malformed_cbor"),
    "issuer-of-bytes": (inside(claims_of(dcc(), issuer=b"LB")), "malformed_claims"),
    "issuer-of-a-list": (inside(claims_of(dcc(), issuer=["LB"] * 500)), "malformed_claims"),
    "expiry-of-text": (inside(claims_of(dcc(), expires_at="never")), "malformed_claims"),
    "expiry-of-true": (inside(claims_of(dcc(), expires_at=True)), "malformed_claims"),
    "expiry-that-is-no-number": (
        inside(claims_of(dcc(), expires_at=float("nan"))),
        "malformed_claims",
    ),
    "expiry-in-the-year-ten-thousand": (
        inside(claims_of(dcc(), expires_at=2**63)),
        "malformed_claims",
    ),
    "issued-before-the-calendar": (
        inside(claims_of(dcc(), issued_at=-(2**63))),
        "malformed_claims",
    ),
    "issued-as-a-map": (inside(claims_of(dcc(), issued_at={})), "malformed_claims"),
    "certificate-missing": (inside(cbor2.dumps({1: "LB", 4: 1_800_000_000})), "malformed_claims"),
    "certificate-claim-a-list": (inside(cbor2.dumps({-260: [1]})), "malformed_claims"),
    "certificate-of-another-kind": (inside(cbor2.dumps({-260: {2: {}}})), "not_understood"),
    "certificate-a-text": (inside(claims_of("certificate")), "malformed_claims"),
    "certificate-a-list": (inside(claims_of([dcc()] * 4)), "malformed_claims"),
    "certificate-null": (inside(claims_of(None)), "malformed_claims"),
    "members-that-are-numbers": (inside(claims_of({1: 2})), "malformed_claims"),
    "member-of-bytes": (inside(claims_of(dcc(nam=b"K" * 9000))), "malformed_claims"),
    "member-endless": (inside(claims_of(dcc(v=[float("inf")]))), "malformed_claims"),
    "vaccination-and-test": (inside(claims_of(dcc(t=[TEST]))), "schema"),
    "vaccinations-as-a-map": (inside(claims_of(dcc(v={"0": VACCINATION}))), "schema"),
    "vaccination-a-text": (inside(claims_of(dcc(v=["v" * 9000]))), "schema"),
    "doses-of-nothing": (inside(claims_of(dcc(v=[VACCINATION | {"dn": -(2**64)}]))), "schema"),
    "doses-of-ten-to-the-300": (
        inside(claims_of(dcc(v=[VACCINATION | {"dn": 1.5e300}], ver=1))),
        "schema",
    ),
    "version-of-nine-thousand-digits": (inside(claims_of(dcc(ver="1" * 9000 + "x"))), "schema"),
    "birth-date-of-nine-thousand": (inside(claims_of(dcc(dob="19" * 4500))), "schema"),
    "birth-date-of-nine-thousand-of-old": (
        inside(claims_of(dcc(ver="1.0.0", dob="19" * 4500))),
        "schema",
    ),
    "birth-dates-over-and-over": (
        inside(claims_of(dcc(ver="1.0.0", dob="1900-0-" * 1200))),
        "schema",
    ),
    "name-of-a-list": (inside(claims_of(dcc(nam=["K"] * 500))), "schema"),
}


def png(width: int, height: int, *more: bytes) -> bytes:
    """A PNG that says it is so large, and these chunks of it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (head, *more)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


JPEG, GIF = b"\xff\xd8\xff", b"GIF89a"
WEBP = b"RIFF\xff\xff\xff\xffWEBP"

PICTURES = {
    "png-of-four-milliard-squared": (png(2**32 - 1, 2**32 - 1), "picture_too_large"),
    "png-one-pixel-high": (png(2**31 - 1, 1), "picture_too_large"),
    "png-just-too-large": (png(4001, 4000), "picture_too_large"),
    "png-bomb": (png(50_000, 50_000, b"IDAT" + bomb(64 << 20)), "picture_too_large"),
    "png-without-size": (png(0, 0), "bad_picture"),
    "png-cut-short": (png(100, 100)[:20], "bad_picture"),
    "png-of-nothing": (png(100, 100, b"IEND"), "bad_picture"),
    "png-text-bomb": (png(9, 9, b"zTXta\0\0" + bomb(64 << 20)), "bad_picture"),
    "png-colours-bomb": (png(9, 9, b"iCCPa\0\0" + bomb(64 << 20)), "bad_picture"),
    "png-chunk-of-two-gigabytes": (png(9, 9) + b"\x7f\xff\xff\xffIDAT", "bad_picture"),
    "jpeg-of-65535-squared": (JPEG + b"\xc0\0\x11\x08" + b"\xff" * 4, "picture_too_large"),
    "jpeg-without-a-frame": (JPEG + b"\xe0\0\2" * 30_000, "bad_picture"),
    "jpeg-of-fill-bytes": (JPEG + b"\xff" * 1_000_000, "bad_picture"),
    "jpeg-of-empty-segments": (JPEG + b"\xe0\0\0" * 100_000, "bad_picture"),
    "gif-of-65535-squared": (GIF + b"\xff" * 4 + bytes(3), "picture_too_large"),
    "gif-whose-frame-outgrows-it": (
        GIF + b"\1\0\1\0\0\0\0" + b"," + bytes(4) + b"\xff" * 4 + b"\0\2\0;",
        "picture_too_large",
    ),
    "gif-cut-short": (GIF, "bad_picture"),
    "webp-of-16-million-squared": (
        WEBP + b"VP8X\x0a" + bytes(7) + b"\xff" * 6,
        "picture_too_large",
    ),
    "webp-lossless-of-16384-squared": (
        WEBP + b"VP8L\xff\0\0\0/" + b"\xff" * 4,
        "picture_too_large",
    ),
    "webp-cut-short": (WEBP + b"VP8 ", "bad_picture"),
    "sound": (b"RIFF\xff\xff\xff\xffWAVEfmt " + b"\xff" * 30, "bad_picture"),
    "eleven-megabytes": (png(9, 9) + bytes(11_000_000), "picture_too_large"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "bad_picture"),
    "tiff": (b"II*\0" + bytes(100), "bad_picture"),
    "eps-that-runs": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "bad_picture"),
    "nothing-at-all": (b"", "bad_picture"),
}

MOMENT = datetime(2026, 3, 2, tzinfo=UTC)
BUNDLE = Bundle(1, MOMENT, MOMENT, b"", TrustList([from_certificate(SIGNER)]), RevocationList())


def explained(text: str) -> str:
    """What `inspect` calls it: it reads on where no signature vouches."""
    found = inspect(text, certificates=[SIGNER], at=NOON, tables=value_sets())
    assert found.refusal
    return found.refusal[0]


def judged(text: str) -> str:
    """What an officer is told."""
    return judge(text, bundle=BUNDLE, time=MOMENT).reasons[0]


def looked_at(picture: bytes) -> str:
    """What the reader of pictures calls it."""
    with pytest.raises(BadPicture) as refused:
        qr.read(picture)
    return refused.value.code


def hold(read: Callable[[Any], str], given: object, reason: str) -> None:
    """Hold one reader to the reason, the time (best of three) and the room."""
    assert read(given) == reason
    assert min(seconds(read, given) for _ in range(3)) < MOST_SECONDS
    assert most_bytes(read, given) < MOST_BYTES


def seconds(read: Callable[[Any], str], given: object) -> float:
    before = time.thread_time()
    read(given)
    return time.thread_time() - before


def most_bytes(read: Callable[[Any], str], given: object) -> int:
    tracemalloc.start()
    try:
        read(given)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("text", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_a_hostile_code_is_refused_quickly_and_in_little_room(text, reason):
    hold(explained, text, reason)
    hold(judged, text, reason)


@pytest.mark.parametrize(("picture", "reason"), PICTURES.values(), ids=PICTURES)
def test_a_hostile_picture_is_refused_quickly_and_in_little_room(picture, reason):
    hold(looked_at, picture, reason)
