"""The verdicts that the issuers of the public test certificates ask for."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest

from healthcert.errors import BadInput
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.revocation import RevocationList
from healthcert.hcert.trust import TrustList, from_certificate
from healthcert.policy.entry import judge

pytestmark = pytest.mark.conformance

UNREADABLE = {"malformed_prefix", "not_a_certificate", "malformed_base45", "malformed_zlib"}
REFUSED_AS = {
    "unprefix": UNREADABLE,
    "b45decode": UNREADABLE,
    "compression": UNREADABLE,
    "verify": {"unknown_issuer", "bad_signature", "malformed_cose", "malformed_cbor"},
    "decode": {"malformed_claims", "malformed_cbor", "not_understood"},
    "schemavalidation": {"schema", "malformed_claims"},
    "keyusage": {"wrong_key_usage"},
    "expirationcheck": {"expired", "not_yet_valid"},
}
ALL_GOOD = ("verify", "schemavalidation", "keyusage", "expirationcheck")


def verdict_on(row):
    """Return the verdict at the row's clock, its signer alone being trusted."""
    clock = datetime.fromisoformat(row["clock"])
    now = clock if clock.tzinfo else clock.replace(tzinfo=UTC)
    try:
        trust = TrustList([from_certificate(b64decode(row["cert"]))])
    except (KeyError, BadInput):
        trust = TrustList()
    bundle = Bundle(1, now, now + timedelta(days=1), b"", trust, RevocationList())
    return judge(row["barcode"], bundle=bundle, time=now)


@pytest.fixture(scope="module")
def judged(vectors):
    """Every public certificate with a bar code and a clock, and its verdict."""
    whole = [row for row in vectors if row.get("barcode") and row.get("clock")]
    return [(row, verdict_on(row)) for row in whole]


def test_what_its_issuer_calls_good_in_every_way_is_valid(judged):
    good = [
        (row["id"], verdict)
        for row, verdict in judged
        if all(row["expect"].get(flag) for flag in ALL_GOOD) and "disputed" not in row
    ]
    assert len(good) > 100
    assert [(name, v.reasons) for name, v in good if v.outcome != "valid"] == []


@pytest.mark.parametrize("flag", REFUSED_AS)
def test_what_its_issuer_calls_bad_is_refused_for_that_reason(judged, flag):
    bad = [
        (row, verdict)
        for row, verdict in judged
        if row["expect"].get(flag) is False and flag not in row.get("disputed", {})
    ]
    assert bad
    wrong = [
        (row["id"], verdict.reasons)
        for row, verdict in bad
        if not REFUSED_AS[flag] & {*verdict.reasons}
    ]
    assert wrong == []
