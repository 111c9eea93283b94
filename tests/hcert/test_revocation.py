"""Which certificates were taken back."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from healthcert.hcert.cose import ES256, PS256, Sign1
from healthcert.hcert.revocation import (
    RevocationList,
    country_uvci_hash,
    is_sorted,
    signature_hash,
    uvci_hash,
)
from tests.certificates import UVCI

MESSAGE = Sign1(b"", ES256, b"kid", b"payload", b"r" * 32 + b"s" * 32)
HASHES = st.lists(st.binary(min_size=16, max_size=16), max_size=60)


def test_hashes_are_the_start_of_a_sha256():
    assert uvci_hash(UVCI) == sha256(UVCI.encode()).digest()[:16]
    assert country_uvci_hash("XX", UVCI) == sha256(b"XX" + UVCI.encode()).digest()[:16]


def test_an_es256_signature_is_hashed_by_its_first_half_so_that_its_twin_is_revoked_too():
    twin = Sign1(b"", ES256, b"kid", b"payload", b"r" * 32 + b"t" * 32)
    assert signature_hash(MESSAGE) == signature_hash(twin) == sha256(b"r" * 32).digest()[:16]


def test_a_ps256_signature_is_hashed_whole():
    message = Sign1(b"", PS256, b"kid", b"payload", b"a" * 256)
    assert signature_hash(message) == sha256(b"a" * 256).digest()[:16]


def test_each_kind_of_hash_revokes_under_its_own_country_alone():
    for kind, found in (
        ("uvci", uvci_hash(UVCI)),
        ("country_uvci", country_uvci_hash("XX", UVCI)),
        ("signature", signature_hash(MESSAGE)),
    ):
        listed = RevocationList.of(["XX", "YY"], [("XX", kind, found)])
        assert listed.revoked("XX", UVCI, MESSAGE)
        assert not listed.revoked("YY", UVCI, MESSAGE)
        assert not listed.revoked("XX", "URN:UVCI:01:XX:OTHER", MESSAGE) or kind == "signature"


def test_a_hash_of_one_kind_does_not_revoke_as_another():
    listed = RevocationList.of(["XX"], [("XX", "country_uvci", uvci_hash(UVCI))])
    assert not listed.revoked("XX", UVCI, MESSAGE)


def test_an_empty_list_is_held_and_a_missing_one_is_not():
    listed = RevocationList.of(["XX"], [])
    assert listed.holds("XX")
    assert not listed.holds("YY")


@given(HASHES, st.binary(min_size=16, max_size=16))
def test_exactly_what_was_put_in_is_found(hashes, other):
    for wanted in [*hashes, other]:
        uvcis = {uvci_hash(found.hex()) for found in hashes}
        listed = RevocationList.of(["XX"], [("XX", "uvci", found) for found in uvcis])
        assert is_sorted(listed.entries["XX"].get("uvci", b""))
        assert listed.revoked("XX", wanted.hex(), MESSAGE) == (wanted in hashes)


@given(HASHES)
def test_hashes_that_do_not_rise_are_seen(hashes):
    joined = b"".join(hashes)
    assert is_sorted(joined) == (hashes == sorted(set(hashes)))
    assert not is_sorted(joined + b"\0")
