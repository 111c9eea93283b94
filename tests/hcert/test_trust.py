"""Trusted keys: read from certificates as they are, not as they should be."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import BadInput
from healthcert.hcert import TrustList, from_certificate, key_identifier, verify1
from tests.hcert.barcodes import (
    EKU,
    KEY,
    KID,
    LONG_KEY,
    MISTAKEN_EKU,
    RSA_KEY,
    SIGNER,
    signed,
    signer_certificate,
)

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"


def test_a_certificate_says_whose_key_it_is():
    found = from_certificate(SIGNER)
    assert found.kid == sha256(SIGNER).digest()[:8] == key_identifier(SIGNER)
    assert (found.country, found.name, found.training) == ("LB", "Signer of tests", False)
    assert found.not_before == datetime(2026, 1, 1, tzinfo=UTC)
    assert found.not_after == datetime(2028, 1, 1, tzinfo=UTC)
    assert from_certificate(SIGNER, training=True).training


@pytest.mark.parametrize("key", [KEY, LONG_KEY, RSA_KEY], ids=["P-256", "P-384", "RSA"])
def test_its_key_verifies(key):
    found = from_certificate(signer_certificate(key))
    message = signed(b"payload", key=key, kid=found.kid)
    assert verify1(message, keys={found.kid: [found.key]}) == b"payload"


@pytest.mark.parametrize(
    ("usages", "kinds"),
    [
        ((), "vtr"),
        ((EKU + "1",), "t"),
        ((EKU + "2",), "v"),
        ((EKU + "3",), "r"),
        ((MISTAKEN_EKU + "1", MISTAKEN_EKU + "3"), "tr"),
        ((EKU + "1", MISTAKEN_EKU + "2"), "tv"),
        ((SERVER_AUTH,), "vtr"),
        ((SERVER_AUTH, EKU + "2"), "v"),
        ((EKU + "4",), "vtr"),
    ],
)
def test_a_key_signs_the_kinds_its_certificate_names_or_any(usages, kinds):
    found = from_certificate(signer_certificate(usages=usages))
    assert {kind for kind in "vtr" if found.allows(kind)} == set(kinds)


@pytest.mark.parametrize("usage", [b"", b"\x30\x00", b"\x05\x00", b"\x30\x05\x06", b"junk"])
def test_usages_that_cannot_be_read_count_as_none(usage):
    assert from_certificate(signer_certificate(raw_usage=usage)).usages == frozenset()


def test_a_holder_may_be_named_in_other_ways_or_not_at_all():
    certificate = Certificate.load(SIGNER)
    body = certificate["tbs_certificate"]
    body["subject"] = body["subject"].build({"organization_name": "Ministry"})
    assert (found := from_certificate(certificate.dump(force=True))).name == "Ministry"
    assert found.country == "LB"  # the issuer's
    body["issuer"] = body["subject"] = body["subject"].build({})
    assert (found := from_certificate(certificate.dump(force=True))).name == ""
    assert found.country == ""


def test_of_repeated_names_the_first_counts():
    certificate = Certificate.load(SIGNER)
    body = certificate["tbs_certificate"]
    twice = body["subject"].build({"country_name": "LB"})
    twice.chosen.append(body["subject"].build({"country_name": "XX"}).chosen[0])
    body["subject"] = twice
    assert from_certificate(certificate.dump(force=True)).country == "LB"


@pytest.mark.parametrize(
    "noise", [b"", b"\x30\x80", b"junk", SIGNER[:200], b"\x30\x03\x02\x01\x01"]
)
def test_what_is_no_certificate_is_refused(noise):
    with pytest.raises(BadInput):
        from_certificate(noise)


@pytest.mark.parametrize("kind", [7, 8], ids=["an object descriptor", "an instance"])
def test_a_name_in_a_kind_of_text_that_nobody_reads_is_refused(kind):
    country = b"\x55\x04\x06\x13"
    strange = SIGNER.replace(country, bytes([0x55, 4, 0x63, kind]))
    with pytest.raises(BadInput) as refusal:
        from_certificate(strange)
    assert refusal.value.fields == {"certificate": "not_a_certificate"}


def test_a_key_that_signs_no_certificates_is_refused():
    certificate = Certificate.load(SIGNER)
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    raw = key.public_bytes_raw()
    spki = certificate["tbs_certificate"]["subject_public_key_info"].__class__.load(
        bytes.fromhex("302a300506032b6570032100") + raw
    )
    certificate["tbs_certificate"]["subject_public_key_info"] = spki
    with pytest.raises(BadInput) as refusal:
        from_certificate(certificate.dump(force=True))
    assert refusal.value.fields == {"certificate": "neither_ec_nor_rsa"}


WITH_USAGES = signer_certificate(usages=(EKU + "1", EKU + "2"))


@given(st.integers(0, len(WITH_USAGES) - 1), st.binary(min_size=1, max_size=4), st.booleans())
def test_a_certificate_damaged_anywhere_is_read_or_refused_politely(place, damage, cut):
    rest = b"" if cut else WITH_USAGES[place + len(damage) :]
    try:
        found = from_certificate(WITH_USAGES[:place] + damage + rest)
    except BadInput:
        return
    assert found.usages <= set("vtr")


def test_a_trust_list_finds_every_key_of_an_identifier():
    one, other = from_certificate(SIGNER), from_certificate(signer_certificate(RSA_KEY))
    twin = from_certificate(SIGNER, training=True)
    keys = TrustList([one, other, twin])
    assert keys.find(KID) == (one, twin)
    assert keys.find(bytes(8)) == ()
    assert (len(keys), list(keys)) == (3, [one, twin, other])
    assert len(TrustList()) == 0
