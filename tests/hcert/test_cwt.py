"""Claims: who says so, from when to when; read leniently, within what a calendar holds."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import MalformedCbor, MalformedClaims
from healthcert.hcert import read_claims, write_claims

LAST_SECOND = 253_402_300_799


def payload(**changed: object) -> bytes:
    names = {"iss": 1, "exp": 4, "iat": 6, "hcert": -260}
    claims = {1: "LB", 4: 200, 6: 100, -260: {1: {}}}
    return cbor2.dumps(claims | {names[name]: value for name, value in changed.items()})


def test_what_is_written_is_read():
    found = read_claims(write_claims(issuer="LB", issued_at=100, expires_at=200, dcc={"ver": "1"}))
    assert (found.issuer, found.issued_at, found.expires_at) == ("LB", 100, 200)
    assert found.hcert == {1: {"ver": "1"}}


def test_claims_may_stand_in_any_order_among_others():
    found = read_claims(cbor2.dumps({-260: {1: {}}, 7: b"id", "x": [1], 6: 1, 1: "LB", 4: 2}))
    assert (found.issuer, found.issued_at, found.expires_at) == ("LB", 1, 2)


def test_fractions_of_a_second_are_read():
    found = read_claims(payload(iat=100.25, exp=200.5))
    assert (found.issued_at, found.expires_at) == (100.25, 200.5)


def test_claims_may_be_missing_or_null_but_for_the_certificate():
    for data in (cbor2.dumps({-260: {}}), payload(iss=None, exp=None, iat=None)):
        found = read_claims(data)
        assert (found.issuer, found.issued_at, found.expires_at) == (None, None, None)


BAD = {
    "not-a-map": cbor2.dumps([]),
    "a-number": cbor2.dumps(1),
    "nothing-in-it": cbor2.dumps({}),
    "certificate-null": payload(hcert=None),
    "certificate-bytes": payload(hcert=b"\xa0"),
    "certificate-array": payload(hcert=[{}]),
    "issuer-a-number": payload(iss=1),
    "issuer-bytes": payload(iss=b"LB"),
    "time-a-text": payload(exp="2026-03-02"),
    "time-a-truth": payload(exp=True),
    "time-an-array": payload(iat=[1]),
    "time-not-a-number": payload(exp=math.nan),
    "time-endless": payload(exp=math.inf),
    "time-before-all": payload(iat=-math.inf),
    "time-past-the-calendar": payload(exp=LAST_SECOND + 1),
    "time-of-64-bits": payload(exp=2**64 - 1),
    "time-of-minus-64-bits": payload(iat=-(2**64)),
    "time-huge": payload(exp=1.7e308),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_no_claims_set_is_refused(data):
    with pytest.raises(MalformedClaims):
        read_claims(data)


def test_a_payload_that_the_guard_refuses_is_refused():
    with pytest.raises(MalformedCbor):
        read_claims(b"\xbf\xff")


@given(st.integers(-62_135_596_800, LAST_SECOND) | st.floats(0, LAST_SECOND))
def test_every_time_that_is_read_is_a_date(seconds):
    found = read_claims(payload(iat=seconds))
    assert datetime.fromtimestamp(found.issued_at, UTC).year >= 1


def test_time_begins_with_the_first_second_of_the_first_year():
    first = -62_135_596_800
    assert read_claims(payload(iat=first)).issued_at == first
    with pytest.raises(MalformedClaims):
        read_claims(payload(iat=first - 1))


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("moment", "expected"), [(99.9, False), (100, True), (150, True), (200, True), (200.1, False)]
)
def test_both_ends_are_in_force(moment, expected):
    assert read_claims(payload()).in_force(at(moment)) is expected


def test_the_zone_of_the_moment_does_not_matter():
    elsewhere = at(150).astimezone(timezone(timedelta(hours=14)))
    assert read_claims(payload()).in_force(elsewhere) is True


def test_nobody_can_say_without_both_times():
    assert read_claims(payload(exp=None)).in_force(at(150)) is None
    assert read_claims(payload(iat=None)).in_force(at(150)) is None
