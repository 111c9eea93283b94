"""Lists of signers: every published form is read, and a bad one never takes a good one's place."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import BadTrustList
from healthcert.hcert import key_identifier, trust_lists
from healthcert.hcert.trust_lists import SignerList
from tests.hcert.barcodes import EKU, LONG_KEY, RSA_KEY, SIGNER, signer_certificate
from tests.hcert.chains import authority

OTHER = signer_certificate(LONG_KEY, usages=(EKU + "2",))
THIRD = signer_certificate(RSA_KEY)


def base64(data):
    return b64encode(data).decode()


def kid(der):
    return base64(key_identifier(der))


def pem(der):
    return load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def row(der=SIGNER, **changes):
    return {"kid": kid(der), "rawData": base64(der), "country": "LB"} | changes


def did(der=SIGNER, *, place="DCC:XXA:DSC", **jwk):
    method = f"did:web:tng-cdn.who.int:v2:trustlist:{place}#{quote(kid(der), safe='')}"
    coordinates = {"kty": "EC", "crv": "P-256", "x": base64(bytes(33)), "y": base64(bytes(33))}
    key = coordinates | {"kid": kid(der), "x5c": [base64(der), base64(THIRD)]} | jwk
    return {"id": method, "type": "JsonWebKey2020", "publicKeyJwk": key}


def as_json(value):
    return json.dumps(value).encode()


def certificates(listed):
    return [signer.certificate for signer in listed.signers]


FORMS = {
    "der": (SIGNER, [SIGNER]),
    "pem": (pem(SIGNER), [SIGNER]),
    "several-pem": (b"# ours\n" + pem(SIGNER) + pem(OTHER), [SIGNER, OTHER]),
    "base64": (base64(SIGNER).encode() + b"\n", [SIGNER]),
    "national": (as_json({"certificates": [row(), row(OTHER)]}), [SIGNER, OTHER]),
    "with-a-byte-order-mark": (b"\xef\xbb\xbf" + as_json({"certificates": [row()]}), [SIGNER]),
    "gateway": (as_json([row(certificateType="DSC"), row(OTHER)]), [SIGNER, OTHER]),
    "of-other-usages": (as_json([row(), row(OTHER, certificateType="CSCA")]), [SIGNER]),
    "update": (as_json({"LB": [{"kid": kid(SIGNER), "rawData": base64(SIGNER)}]}), [SIGNER]),
    "bare-update": (as_json({"LB": [base64(SIGNER)], "FR": [base64(OTHER)]}), [SIGNER, OTHER]),
    "did": (as_json({"verificationMethod": [did(), did(OTHER)]}), [SIGNER, OTHER]),
    "did-chain-a-text": (as_json({"verificationMethod": [did(x5c=base64(SIGNER))]}), [SIGNER]),
    "did-with-its-identifier-in-the-place": (
        as_json({"verificationMethod": [did(place=f"-:XXA:DSC:{kid(SIGNER)}", kid=None)]}),
        [SIGNER],
    ),
    "did-of-an-authority": (
        as_json(
            {
                "verificationMethod": [
                    did(),
                    did(OTHER, place="DCC:XXA:SCA"),
                    did(OTHER, place=f"DDCC:XXA:SCA:{kid(OTHER)}"),
                    "did:web:another.example:trustlist",
                ]
            }
        ),
        [SIGNER],
    ),
    "did-in-the-place-of-no-list": (
        as_json({"verificationMethod": [did() | {"id": "here:DSC:kid"}]}),
        [SIGNER],
    ),
    "did-of-the-wider-domain": (
        as_json({"verificationMethod": [did(place="DDCC:XXA:DSC")]}),
        [SIGNER],
    ),
    "did-of-another-domain": (
        as_json({"verificationMethod": [did(), did(OTHER, place="ICVP:XXA:DSC")]}),
        [SIGNER],
    ),
    "did-of-an-authority-in-no-place": (
        as_json({"verificationMethod": [did(place="-:XXA"), did(authority().der, place="-:XXA")]}),
        [SIGNER],
    ),
    "did-with-its-identifier-in-base64-twice": (
        as_json({"verificationMethod": [did(kid=base64(kid(SIGNER).encode()))]}),
        [SIGNER],
    ),
    "did-without-a-place": (
        as_json({"verificationMethod": [did() | {"id": "DSC"}, did(OTHER) | {"id": None}]}),
        [SIGNER, OTHER],
    ),
    "twice": (as_json([row(), row()]), [SIGNER]),
    "url-safe-kid": (
        as_json([row(kid=urlsafe_b64encode(key_identifier(SIGNER)).decode().rstrip("="))]),
        [SIGNER],
    ),
    "no-kid": (as_json([row(kid=None)]), [SIGNER]),
}


@pytest.mark.parametrize(("data", "expected"), FORMS.values(), ids=FORMS)
def test_every_published_form_is_read(data, expected):
    found = trust_lists.read(data)
    assert certificates(found) == expected
    assert found.passed_over == ()


@pytest.mark.parametrize(
    "usage", ["AUTHENTICATION", "CSCA", "DECA", "DESC", "SCA", "TLS", "UP", "UPLOAD"]
)
def test_no_other_usage_is_that_of_a_signer(usage):
    for place in (f"DCC:XXA:{usage}", f"-:XXA:{usage}:{kid(OTHER)}"):
        listed = trust_lists.read(as_json({"verificationMethod": [did(), did(OTHER, place=place)]}))
        assert certificates(listed) == [SIGNER]
    listed = trust_lists.read(as_json([row(), row(OTHER, certificateType=usage)]))
    assert certificates(listed) == [SIGNER]


def test_each_signer_has_country_usage_validity_and_source():
    found = trust_lists.read(as_json([row(OTHER, country="FR")]), source="national.json")
    [key] = found.trust()
    assert (key.country, key.usages, key.source) == ("FR", {"v"}, "national.json")
    assert (key.not_before.year, key.not_after.year) == (2026, 2028)
    assert not key.training
    assert trust_lists.read(SIGNER, training=True).signers[0].key.training


def test_a_country_that_is_no_code_gives_way_to_the_certificates():
    found = trust_lists.read(as_json({"XXA": [base64(SIGNER)]}))
    assert found.signers[0].key.country == "LB"


@pytest.mark.parametrize(
    "bad",
    [
        row(OTHER, kid=kid(SIGNER)),
        row(OTHER, rawData="no certificate"),
        row(OTHER, rawData="abcde"),
        row(OTHER, rawData="é"),
        row(OTHER, rawData=None),
        row(OTHER, kid="é"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_and_passed_over(bad):
    found = trust_lists.read(as_json([row(), bad]))
    assert certificates(found) == [SIGNER]
    assert len(found.passed_over) == 1
    assert found.passed_over[0].startswith(bad["kid"])


@pytest.mark.parametrize("bad", [{"kid": "é"}, {"x5c": ["é"]}, {"x5c": ["abcde"]}])
def test_a_key_of_a_did_document_that_is_no_base64_is_named_and_passed_over(bad):
    for place in ("DCC:XXA:DSC", "-:XXA"):
        document = {"verificationMethod": [did(), did(OTHER, place=place, **bad)]}
        found = trust_lists.read(as_json(document))
        assert certificates(found) == [SIGNER]
        assert [words.partition(":")[0] for words in found.passed_over] == [
            bad.get("kid", kid(OTHER))
        ]


NOT_LISTS = [
    b"",
    b" ",
    b"\xff",
    b"{",
    b"[]",
    b"[" * 100_000,
    b"no list",
    b"0 bytes",
    b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    as_json({}),
    as_json({"certificates": []}),
    as_json({"certificates": "x", "y": 1}),
    as_json({"certificates": {}}),
    as_json({"verificationMethod": None}),
    as_json({"verificationMethod": [{}, {"publicKeyJwk": 1}, did(x5c=[]), did(x5c=5)]}),
    as_json({"LB": None, "FR": [1]}),
    as_json([row(certificateType="CSCA")]),
    as_json([row(rawData="junk")]),
    as_json(["text", 5]),
]


@pytest.mark.parametrize("data", NOT_LISTS, ids=range(len(NOT_LISTS)))
def test_what_names_no_signer_is_no_list(data):
    with pytest.raises(BadTrustList):
        trust_lists.read(data)


def test_a_refused_list_says_why_its_entries_were_passed_over():
    with pytest.raises(BadTrustList, match=r"in x\.json \(.*not_a_certificate"):
        trust_lists.read(as_json([row(rawData="junk")]), source="x.json")


@pytest.mark.walk
@given(st.recursive(
    st.none() | st.integers() | st.text() | st.just(base64(SIGNER)),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["certificates", "verificationMethod", "publicKeyJwk", "x5c", "id", "kid",
                         "rawData", "country", "certificateType", "source", "LB"]), inner),
))  # fmt: skip
def test_any_json_is_a_list_or_refused_politely(value):
    try:
        found = trust_lists.read(as_json(value))
    except BadTrustList:
        return
    assert certificates(found) == [SIGNER]


def test_lists_are_joined_and_the_first_of_two_counts():
    one = trust_lists.read(as_json([row(country="FR"), row(OTHER, rawData="")]), source="one")
    other = trust_lists.read(as_json([row(OTHER), row()]), source="other")
    both = trust_lists.joined([one, other])
    assert certificates(both) == [SIGNER, OTHER]
    assert [signer.key.source for signer in both.signers] == ["one", "other"]
    assert len(both.passed_over) == 1
    assert trust_lists.joined([]) == SignerList(())


def test_only_keys_of_the_status_list_stay():
    both = trust_lists.read(as_json([row(), row(OTHER)]))
    valid = trust_lists.read_status(as_json([kid(OTHER), kid(THIRD)]))
    left = both.only(valid)
    assert certificates(left) == [OTHER]
    assert left.passed_over == (f"{kid(SIGNER)}: no longer valid",)


@pytest.mark.parametrize("reply", [b"", b"[]", b"{}", b"5", b"[5]", b'["abcde"]', b'{"AAAA": 1}'])
def test_a_status_reply_without_keys_is_refused(reply):
    with pytest.raises(BadTrustList):
        trust_lists.read_status(reply)


def test_a_list_that_was_written_reads_back_with_its_sources():
    listed = trust_lists.joined(
        [trust_lists.read(OTHER, source="b"), trust_lists.read(SIGNER, source="a")]
    )
    written = trust_lists.write(listed)
    again = trust_lists.read(written, source="the file itself")
    assert [signer.key.source for signer in again.signers] in (["a", "b"], ["b", "a"])
    assert all(signer in listed.signers for signer in again.signers)
    assert trust_lists.write(again) == written


def test_a_list_is_written_as_national_lists_are():
    [told] = json.loads(trust_lists.write(trust_lists.read(SIGNER, source="é")))["certificates"]
    expected = row(certificateType="DSC", source="é")
    assert told == expected


THREE = trust_lists.joined([trust_lists.read(der) for der in (SIGNER, OTHER, THIRD)])


@pytest.mark.parametrize("left", [2, 3])
def test_a_good_update_takes_the_place_of_the_list_held(left):
    update = SignerList(THREE.signers[:left])
    assert trust_lists.replaced(THREE, update) is update


def test_half_of_a_list_may_take_its_place():
    two, one = SignerList(THREE.signers[:2]), SignerList(THREE.signers[:1])
    assert trust_lists.replaced(two, one) is one


def test_the_first_list_replaces_nothing():
    assert trust_lists.replaced(None, THREE) is THREE


@pytest.mark.parametrize("left", [0, 1])
def test_an_update_that_is_empty_or_cut_short_is_refused(left):
    with pytest.raises(BadTrustList):
        trust_lists.replaced(THREE, SignerList(THREE.signers[:left]))
