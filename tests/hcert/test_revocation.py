"""Which certificates were taken back."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from healthcert.hcert.cose import ES256, PS256, Sign1
from healthcert.hcert.revocation import (
    RevocationList,
    country_uvci_hash,
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
def test_what_was_put_in_is_found_and_little_else(hashes, other):
    uvcis = {uvci_hash(found.hex()) for found in hashes}
    listed = RevocationList.of(["XX"], [("XX", "uvci", found) for found in uvcis])
    assert all(listed.revoked("XX", wanted.hex(), MESSAGE) for wanted in hashes)
    assert listed.revoked("XX", other.hex(), MESSAGE) == (other in hashes)


def test_the_kinds_of_one_issuer_are_lists_of_their_own():
    listed = RevocationList.of([], [("XX", "uvci", bytes(16)), ("XX", "signature", b"s" * 16)])
    assert [(part.kind, part.entries) for part in listed.lists["XX"]] == [
        ("uvci", 1),
        ("signature", 1),
    ]


def test_a_list_is_asked_for_by_its_kind():
    listed = RevocationList.of(["XX"], [("XX", "signature", bytes(16))])
    assert bytes(16) in listed.table("XX", "signature")
    assert listed.table("XX", "uvci") is None
    assert listed.table("YY", "signature") is None


def test_a_named_part_that_is_not_at_hand_is_missing_and_revokes_nothing():
    whole = RevocationList.of(["XX"], [("XX", "uvci", uvci_hash(UVCI))])
    named = replace(whole, tables={})
    assert named == whole
    assert (named.missing(), whole.missing()) == ([*whole.lists["XX"]], [])
    assert (named.holds("XX"), whole.holds("XX")) == (False, True)
    assert not named.revoked("XX", UVCI, MESSAGE)
    assert named.with_tables(whole.tables).revoked("XX", UVCI, MESSAGE)


def test_parts_that_are_not_named_are_not_taken():
    other = RevocationList.of(["YY"], [("YY", "uvci", bytes(16))])
    assert RevocationList.of(["XX"], []).with_tables(other.tables).tables == {}


def test_one_issuers_lists_are_replaced_whole_and_no_others():
    old = RevocationList.of(["XX", "YY"], [("XX", "uvci", b"x" * 16), ("YY", "uvci", b"y" * 16)])
    new = RevocationList.of(["XX", "ZZ"], [("ZZ", "uvci", b"z" * 16)])
    found = old.with_issuer("XX", new)
    assert found == RevocationList.of(["XX", "YY"], [("YY", "uvci", b"y" * 16)])
    assert len(found.tables) == 1
    assert old.with_issuer("XX", RevocationList()).published == {"YY"}
