"""COSE_Sign1: what is signed comes back, and nothing else does."""

from __future__ import annotations

import tracemalloc

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import (
    BadCertificate,
    BadSignature,
    MalformedCbor,
    MalformedCose,
    UnknownIssuer,
)
from healthcert.hcert import ES256, PS256, parse, sign1, verify1
from tests.hcert.barcodes import (
    KEY,
    KID,
    LONG_KEY,
    RSA_KEY,
    STRANGER,
    sealed,
    signed,
    signing,
)

KEYS = {KID: [KEY.public_key()]}
HEADER = cbor2.dumps({1: ES256, 4: KID})


def tagged(parts: object, *tags: int) -> bytes:
    for tag in reversed(tags):
        parts = cbor2.CBORTag(tag, parts)
    return cbor2.dumps(parts)


@pytest.mark.parametrize("key", [KEY, LONG_KEY, RSA_KEY], ids=["P-256", "P-384", "RSA"])
@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 5000])
def test_what_is_signed_comes_back(key, size):
    payload = bytes(size)
    assert verify1(signed(payload, key=key), keys={KID: [key.public_key()]}) == payload


@pytest.mark.parametrize("size", [65_535, 65_536, 70_000])
def test_a_message_is_laid_out_as_the_library_lays_it_out(size):
    payload = bytes(size)
    message = sign1(payload, kid=KID, algorithm=ES256, sign=lambda _: bytes(64))
    assert message == tagged([HEADER, {}, payload, bytes(64)], 18)


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 400])
@pytest.mark.parametrize("flipped", [1, 4, 32])
def test_whatever_is_changed_a_message_reads_as_the_library_reads_it(size, flipped):
    message = signed(bytes(size))
    for place in range(len(message)):
        changed = bytearray(message)
        changed[place] ^= flipped
        try:
            found = parse(bytes(changed))
        except BadCertificate:
            continue
        parts = cbor2.loads(changed)
        protected, _, payload, signature = getattr(parts, "value", parts)
        assert (found.protected, found.payload, found.signature) == (protected, payload, signature)


def test_what_is_signed_is_the_structure_of_the_rfc():
    seen = []
    sign1(b"payload", kid=KID, algorithm=ES256, sign=lambda data: seen.append(data) or bytes(64))
    assert cbor2.loads(seen[0]) == ["Signature1", HEADER, b"", b"payload"]


@pytest.mark.parametrize("place", range(-64, 0, 7))
def test_one_changed_bit_of_the_signature_is_refused(place):
    message = bytearray(signed(b"payload"))
    message[place] ^= 1
    with pytest.raises(BadSignature):
        verify1(bytes(message), keys=KEYS)


def test_one_changed_bit_of_the_payload_is_refused():
    message = signed(b"payload").replace(b"payload", b"paylobd")
    with pytest.raises(BadSignature):
        verify1(message, keys=KEYS)


@pytest.mark.parametrize("keys", [{}, {KID: []}, {bytes(8): [KEY.public_key()]}])
def test_an_unknown_key_is_refused(keys):
    with pytest.raises(UnknownIssuer):
        verify1(signed(b"payload"), keys=keys)


@pytest.mark.parametrize("kid", [b"", KID[:7], KID + b"\0", KID * 2])
def test_a_key_identifier_of_another_length_names_nobody(kid):
    with pytest.raises(UnknownIssuer):
        verify1(signed(b"payload", kid=kid), keys=KEYS)


def test_every_key_with_the_identifier_is_tried():
    twins = [STRANGER.public_key(), RSA_KEY.public_key(), LONG_KEY.public_key(), KEY.public_key()]
    assert verify1(signed(b"payload"), keys={KID: twins}) == b"payload"
    with pytest.raises(BadSignature):
        verify1(signed(b"payload"), keys={KID: twins[:-1]})


@pytest.mark.parametrize("tags", [(), (18,), (61, 18)])
def test_a_message_may_be_bare_or_tagged_once_or_twice(tags):
    assert verify1(tagged(sealed(HEADER, b"payload"), *tags), keys=KEYS) == b"payload"


@pytest.mark.parametrize("tags", [(61,), (18, 61), (18, 18), (61, 61, 18), (61, 61)])
def test_other_tags_are_refused(tags):
    with pytest.raises(MalformedCose):
        parse(tagged(sealed(HEADER, b"payload"), *tags))


RIGHT, WRONG = KID, bytes(8)


@pytest.mark.parametrize(
    ("protected", "unprotected", "kid"),
    [
        ({1: ES256, 4: RIGHT}, {}, RIGHT),
        ({1: ES256}, {4: RIGHT}, RIGHT),
        ({4: RIGHT}, {1: ES256}, RIGHT),
        ({1: ES256, 4: RIGHT}, {1: PS256, 4: WRONG}, RIGHT),
        ({1: ES256, 4: WRONG}, {4: RIGHT}, WRONG),
        (None, {1: ES256, 4: RIGHT}, RIGHT),
        ({}, {1: ES256, 4: RIGHT}, RIGHT),
        ({1: ES256, 3: 60, 4: RIGHT}, {99: "unknown"}, RIGHT),
        ({1: ES256, 2: [1, 4], 4: RIGHT}, {}, RIGHT),
        ({1: ES256}, {}, b""),
        ({1: ES256, 4: RIGHT, 33: bytes(100)}, {}, RIGHT),
    ],
)
def test_headers_are_read_from_either_place_the_protected_one_first(protected, unprotected, kid):
    header = b"" if protected is None else cbor2.dumps(protected)
    message = cbor2.dumps(sealed(header, b"payload", unprotected=unprotected))
    found = parse(message)
    assert (found.kid, found.algorithm) == (kid, ES256)
    assert found.fits(KEY.public_key())


def message_with(protected: object, unprotected: object = None) -> bytes:
    header = protected if isinstance(protected, bytes) else cbor2.dumps(protected)
    return cbor2.dumps([header, unprotected or {}, b"", bytes(64)])


NOT_COSE = {
    "a-number": cbor2.dumps(1),
    "a-text-of-four": cbor2.dumps("four"),
    "bytes-of-four": cbor2.dumps(b"four"),
    "a-map-of-four": cbor2.dumps(dict.fromkeys(range(4), b"")),
    "three-parts": cbor2.dumps([HEADER, {}, b""]),
    "five-parts": cbor2.dumps([HEADER, {}, b"", bytes(64), b""]),
    "protected-is-a-map": cbor2.dumps([{1: ES256}, {}, b"", bytes(64)]),
    "unprotected-is-an-array": cbor2.dumps([HEADER, [], b"", bytes(64)]),
    "unprotected-is-bytes": cbor2.dumps([HEADER, b"", b"", bytes(64)]),
    "payload-is-elsewhere": cbor2.dumps([HEADER, {}, None, bytes(64)]),
    "payload-is-a-text": cbor2.dumps([HEADER, {}, "", bytes(64)]),
    "signature-is-a-number": cbor2.dumps([HEADER, {}, b"", 1]),
    "header-is-a-number": message_with(1),
    "header-is-an-array": message_with([1, 2]),
    "no-algorithm": message_with({4: KID}),
    "algorithm-es384": message_with({1: -35, 4: KID}),
    "algorithm-in-words": message_with({1: "ES256", 4: KID}),
    "algorithm-null": message_with({1: None, 4: KID}, {1: ES256}),
    "algorithm-as-a-float": message_with({1: -7.0, 4: KID}),
    "algorithm-as-a-list": message_with({1: [-7], 4: KID}),
    "kid-as-a-text": message_with({1: ES256, 4: "kid"}),
    "kid-as-a-number": message_with({1: ES256}, {4: 7}),
    "kid-as-a-map": message_with({1: ES256, 4: {1: 2}}),
    "critical-unknown": message_with({1: ES256, 2: [99], 99: 1}),
    "critical-a-list": message_with({1: ES256, 2: [[1]]}),
    "critical-bytes": message_with({1: ES256, 2: b"\x01"}),
}


@pytest.mark.parametrize("message", NOT_COSE.values(), ids=NOT_COSE)
def test_what_is_no_message_of_ours_is_refused(message):
    with pytest.raises(MalformedCose):
        parse(message)


@pytest.mark.parametrize("header", [b"\xff", b"\xa1", b"\xa0\xa0", b"\xbf\xff"])
def test_a_header_that_the_guard_refuses_is_refused(header):
    for _ in range(2):  # a refusal is not remembered as an answer
        with pytest.raises(MalformedCbor):
            parse(message_with(header))


@pytest.mark.parametrize("size", [0, 1, 3, 63, 65, 96, 128, 256])
def test_a_signature_of_another_length_never_fits(size):
    message = cbor2.dumps([HEADER, {}, b"payload", b"\x01" * size])
    for key in (KEY, RSA_KEY):
        with pytest.raises(BadSignature):
            verify1(message, keys={KID: [key.public_key()]})


def test_a_signature_of_nought_never_fits():
    for signature in (bytes(64), b"\xff" * 64):
        message = cbor2.dumps([HEADER, {}, b"payload", signature])
        with pytest.raises(BadSignature):
            verify1(message, keys=KEYS)


def test_the_algorithm_must_belong_to_the_key():
    curve, rsa_key = parse(signed(b"")), parse(signed(b"", key=RSA_KEY))
    assert not curve.fits(RSA_KEY.public_key())
    assert not rsa_key.fits(KEY.public_key())
    assert not rsa_key.fits(LONG_KEY.public_key())


def test_other_curves_and_short_rsa_keys_never_fit():
    other = ec.generate_private_key(ec.SECP256K1())
    assert not parse(signed(b"", key=other)).fits(other.public_key())
    longer = ec.generate_private_key(ec.SECP521R1())
    message = sign1(b"", kid=KID, algorithm=ES256, sign=lambda _: bytes(132))
    assert not parse(message).fits(longer.public_key())
    short = rsa.generate_private_key(65537, 1024)
    assert not parse(signed(b"", key=short)).fits(short.public_key())


def test_a_p_384_signature_does_not_fit_a_p_256_key():
    assert not parse(signed(b"", key=LONG_KEY)).fits(KEY.public_key())


@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_refused_politely(noise):
    with pytest.raises(BadCertificate):
        verify1(noise, keys=KEYS)


HEADERS = st.dictionaries(st.integers(-8, 8), st.integers() | st.binary() | st.lists(st.none()))


@given(HEADERS, HEADERS, st.binary(max_size=8), st.sampled_from([17, 18, 61]))
def test_any_headers_at_all_are_refused_politely(protected, unprotected, payload, tag):
    parts = [cbor2.dumps({**protected, 1: -7}), unprotected, payload, bytes(64)]
    with pytest.raises(BadCertificate):
        verify1(tagged(parts, tag), keys=KEYS)


def test_the_signing_function_decides_nothing_about_the_header():
    found = parse(sign1(b"payload", kid=KID, algorithm=PS256, sign=signing(RSA_KEY)))
    assert (found.algorithm, found.kid, found.payload) == (PS256, KID, b"payload")


def test_a_long_header_is_forgotten_at_once():
    headers = [cbor2.dumps({1: ES256, 4: KID, 99: bytes(8_000) + bytes([n])}) for n in range(200)]
    messages = [tagged(sealed(header, b""), 18) for header in headers]
    del headers
    tracemalloc.start()
    try:
        for message in messages:
            parse(message)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 500_000
