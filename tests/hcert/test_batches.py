"""Revocations in the EU's batch form."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import BadInput
from healthcert.hcert.batches import Batch, in_batches, read_batch, write_batch
from healthcert.hcert.revocation import HASH_KINDS

HASH = st.binary(min_size=16, max_size=16)
BATCHES = st.builds(
    Batch,
    country=st.from_regex("[A-Z]{2}", fullmatch=True),
    expires=st.integers(0, 4 * 10**9).map(lambda second: datetime.fromtimestamp(second, UTC)),
    kid=st.none() | st.binary(min_size=8, max_size=8),
    kind=st.sampled_from(HASH_KINDS),
    hashes=st.lists(HASH, min_size=1, max_size=20).map(tuple),
)


def given_batch(**changes):
    batch = {
        "country": "FR",
        "expires": "2026-09-01T12:00:00+02:00",
        "kid": b64encode(b"eightbyt").decode(),
        "hashType": "UCI",
        "entries": [{"hash": b64encode(bytes(16)).decode()}],
    }
    return json.dumps(batch | changes).encode()


@given(BATCHES)
def test_a_batch_reads_back_as_it_was_written(batch):
    assert read_batch(write_batch(batch)) == batch


def test_a_batch_of_the_gateway_is_understood():
    found = read_batch(given_batch(new="member"))
    assert found == Batch(
        "FR", datetime(2026, 9, 1, 10, tzinfo=UTC), b"eightbyt", "uvci", (bytes(16),)
    )
    assert read_batch(given_batch(kid="UNKNOWN_KID")).kid is None
    assert read_batch(given_batch(expires="2026-09-01T12:00:00")).expires.tzinfo is UTC


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"country": "fr"}, {"country": "not_a_country"}),
        ({"country": None}, {"country": "not_a_country"}),
        ({"expires": "soon"}, {"expires": "not_a_time"}),
        ({"expires": 7}, {"expires": "not_a_time"}),
        ({"kid": "AAAA"}, {"kid": "not_a_key_identifier"}),
        ({"kid": None}, {"kid": "not_a_key_identifier"}),
        ({"hashType": "IRIS"}, {"hashType": "not_a_kind_of_hash"}),
        ({"hashType": ["UCI"]}, {"hashType": "not_a_kind_of_hash"}),
        ({"entries": []}, {"entries": "not_1_to_1000"}),
        ({"entries": {}}, {"entries": "not_1_to_1000"}),
        ({"entries": 1001 * [{"hash": ""}]}, {"entries": "not_1_to_1000"}),
        (
            {"country": "", "entries": [{"hash": "AAAAAAAAAAAAAAAAAAAAAA=="}, {"hash": "é"}, "x"]},
            {
                "country": "not_a_country",
                "entries[1].hash": "not_16_bytes_in_base64",
                "entries[2].hash": "not_16_bytes_in_base64",
            },
        ),
    ],
)
def test_what_is_wrong_is_said_by_field_and_by_entry(changes, fields):
    with pytest.raises(BadInput) as refused:
        read_batch(given_batch(**changes))
    assert refused.value.fields == fields


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b"", "not_json"),
        (b"\xff", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_an_object"),
        (b" " * 300_000, "too_large"),
    ],
)
def test_what_is_no_json_object_is_no_batch(data, wrong):
    with pytest.raises(BadInput) as refused:
        read_batch(data)
    assert refused.value.fields == {"batch": wrong}


def test_entries_are_cut_into_batches():
    assert [len(piece) for piece in in_batches(range(2_001))] == [1_000, 1_000, 1]
    assert list(in_batches([])) == []


def test_a_batch_may_have_a_quarter_of_a_mebibyte():
    whole = given_batch().ljust(262_144)
    assert read_batch(whole).country == "FR"
    with pytest.raises(BadInput):
        read_batch(whole + b" ")


@pytest.mark.parametrize("spoilt", ["AAAA AAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAA==!"])
def test_letters_that_are_not_base64_are_not_passed_over(spoilt):
    with pytest.raises(BadInput):
        read_batch(given_batch(entries=[{"hash": spoilt}]))


@pytest.mark.parametrize(
    ("kind", "name"),
    [("uvci", "UCI"), ("country_uvci", "COUNTRYCODEUCI"), ("signature", "SIGNATURE")],
)
def test_a_kind_of_hash_has_the_gateways_name(kind, name):
    batch = read_batch(given_batch(hashType=name))
    assert batch.kind == kind
    assert json.loads(write_batch(batch))["hashType"] == name
