"""Inspection: every step is explained, and what cannot be reached is left open."""

from __future__ import annotations

import zlib

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.data import value_sets
from healthcert.hcert import ES256, Inspection, b45encode, encode, inspect, key_identifier
from healthcert.hcert.inspection import STEPS
from healthcert.hcert.payload import OTHER_KINDS
from tests.hcert.barcodes import (
    EKU,
    KEY,
    KID,
    NOON,
    RECOVERY,
    SIGNER,
    STRANGER,
    VACCINATION,
    barcode,
    claims_of,
    dcc,
    sealed,
    signed,
    signer_certificate,
    without,
)


def look(text: str, *certificates: bytes) -> Inspection:
    return inspect(text, certificates=certificates, at=NOON, tables=value_sets())


def failed(found: Inspection) -> set[str]:
    return {step for step, held in found.steps.items() if held is False}


def unreached(found: Inspection) -> set[str]:
    return {step for step, held in found.steps.items() if held is None}


def code(found: Inspection) -> str | None:
    return found.refusal and found.refusal[0]


def test_a_good_certificate_passes_every_step():
    found = look(barcode(), SIGNER)
    assert found.steps == dict.fromkeys(STEPS, True)
    assert (found.kid, found.certificate, found.refusal) == (KID, dcc(), None)
    assert found.claims.issuer == "LB"


def test_without_certificates_nothing_is_said_of_the_signature():
    found = look(barcode())
    assert unreached(found) == {"signature", "key_usage"}
    assert (failed(found), found.refusal) == (set(), None)


def test_a_certificate_that_nobody_given_has_signed_has_no_signature_and_no_usage():
    found = look(barcode(), signer_certificate(STRANGER))
    assert (failed(found), unreached(found)) == ({"signature"}, {"key_usage"})
    assert (code(found), found.certificate) == ("unknown_issuer", dcc())


def test_a_forged_certificate_is_shown_and_its_key_usage_judged_all_the_same():
    found = look(barcode(key=STRANGER), SIGNER)
    assert (failed(found), unreached(found)) == ({"signature"}, set())
    assert (code(found), found.certificate) == ("bad_signature", dcc())


def test_a_key_for_tests_may_not_sign_a_vaccination():
    signer = signer_certificate(usages=(EKU + "1",))
    found = look(barcode(kid=key_identifier(signer)), signer)
    assert (failed(found), code(found)) == ({"key_usage"}, "wrong_key_usage")


def test_a_given_certificate_that_cannot_be_read_has_no_key():
    junk = b"junk"
    found = look(barcode(kid=key_identifier(junk)), junk, SIGNER)
    assert (failed(found), code(found)) == ({"signature"}, "unknown_issuer")


def test_a_faulty_certificate_is_shown_with_its_faults():
    found = look(barcode(dcc(v=[{**VACCINATION, "dn": 0}])), SIGNER)
    assert (failed(found), code(found)) == ({"schema"}, "schema")
    assert "v.0.dn" in found.refusal[1]


def test_an_unknown_code_is_no_reason_to_refuse():
    found = look(barcode(dcc(v=[{**VACCINATION, "mp": "EU/0"}])), SIGNER)
    assert (failed(found), found.refusal) == ({"value_sets"}, None)


def test_a_certificate_out_of_date_is_not_in_force_and_not_refused():
    payload = claims_of(dcc(), issued_at=1, expires_at=2)
    found = look(encode(signed(payload)), SIGNER)
    assert (failed(found), found.refusal) == ({"in_force"}, None)


def test_without_an_end_nobody_can_say_whether_it_is_in_force():
    found = look(encode(signed(claims_of(dcc(), expires_at=None))), SIGNER)
    assert (unreached(found), found.claims.expires_at) == ({"in_force"}, None)


def test_two_groups_are_a_fault_and_the_first_tells_the_key_usage():
    found = look(barcode(dcc(r=[RECOVERY])), SIGNER)
    assert (failed(found), found.steps["key_usage"]) == ({"schema"}, True)


def test_a_certificate_without_a_group_is_shown_and_has_no_key_usage():
    found = look(barcode(without(dcc(), "v")), SIGNER)
    assert (failed(found), unreached(found)) == ({"schema"}, {"key_usage"})
    assert code(found) == "schema"


def text_of(payload: bytes) -> str:
    return encode(signed(payload))


WHERE_IT_ENDS = {
    "prefix": ("HC2:6BF", "malformed_prefix"),
    "base45": ("HC1:abc", "malformed_base45"),
    "inflate": ("HC1:" + b45encode(b"\xd2\x84"), "malformed_zlib"),
    "cose": (encode(b"\xd2\x84"), "malformed_cbor"),
}


@pytest.mark.parametrize(
    ("step", "text", "reason"), [(step, *case) for step, case in WHERE_IT_ENDS.items()]
)
def test_reading_ends_where_a_step_fails(step, text, reason):
    found = look(text, SIGNER)
    assert (failed(found), code(found)) == ({step}, reason)
    assert unreached(found) == set(STEPS[STEPS.index(step) + 1 :])
    assert (found.kid, found.claims, found.certificate) == (None, None, None)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xbf\xff", "malformed_cbor"),
        (cbor2.dumps({1: "LB"}), "malformed_claims"),
        (cbor2.dumps({-260: {1: b"\xa0"}}), "malformed_claims"),
        (cbor2.dumps({-260: {2: {}}}), "not_understood"),
    ],
)
def test_a_signed_payload_that_is_no_certificate_is_refused(payload, reason):
    found = look(text_of(payload), SIGNER)
    assert (failed(found), code(found), found.certificate) == ({"payload"}, reason, None)
    assert found.steps["signature"] is True


@pytest.mark.parametrize("number", sorted(OTHER_KINDS))
def test_a_signed_document_of_a_kind_known_by_name_alone_is_named(number):
    payload = cbor2.dumps({1: "LB", 4: 2, 6: 1, -260: {number: {"name": "Zoë"}}})
    found = look(text_of(payload), SIGNER)
    assert found.steps["signature"] is True
    assert (found.certificate, code(found)) == (None, "not_understood")
    assert found.refusal[1].endswith(OTHER_KINDS[number])
    assert found.claims.issuer == "LB"


def test_beside_another_kind_the_eu_certificate_is_read():
    times = {4: int(NOON.timestamp()) + 1, 6: int(NOON.timestamp())}
    payload = cbor2.dumps({1: "LB", **times, -260: {3: {"hcid": "1"}, 1: dcc()}})
    found = look(text_of(payload), SIGNER)
    assert found.steps == dict.fromkeys(STEPS, True)
    assert found.certificate == dcc()


def test_the_claims_are_shown_even_if_the_certificate_in_them_cannot_be():
    found = look(text_of(cbor2.dumps({1: "LB", 4: 2, 6: 1, -260: {}})), SIGNER)
    assert (found.claims.issuer, found.steps["in_force"]) == ("LB", False)


def test_a_message_without_a_key_identifier_has_none():
    parts = sealed(cbor2.dumps({1: ES256}), claims_of(dcc()))
    found = look(encode(cbor2.dumps(cbor2.CBORTag(18, parts))), SIGNER)
    assert (found.kid, code(found)) == (None, "unknown_issuer")


def test_a_key_identifier_is_shown_at_any_length():
    assert look(barcode(kid=b"seven b")).kid == b"seven b"


@given(st.binary(max_size=300), st.integers(0, 3))
def test_any_bytes_at_all_at_any_depth_are_explained(noise, depth):
    texts = [
        "HC1:" + b45encode(noise),
        "HC1:" + b45encode(zlib.compress(noise)),
        text_of(noise),
        text_of(cbor2.dumps({-260: {1: noise}})),
    ]
    found = look(texts[depth], SIGNER)
    assert found.refusal
    assert found.refusal[1]
    assert found.certificate is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["ver", "co"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, JSON, JSON)
def test_any_certificate_at_all_is_explained(nam, group, entry):
    certificate = dcc(nam=nam, v=group, t=[entry])
    found = inspect(
        encode(signed(claims_of(certificate), key=KEY)),
        certificates=[SIGNER],
        at=NOON,
        tables=value_sets(),
    )
    assert code(found) in {"schema", "malformed_claims"}
