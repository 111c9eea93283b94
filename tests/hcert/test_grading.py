"""The codec judged by test data: each flag says whether one step does what the data say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import cbor2
import pytest

from healthcert.hcert import decode, qr
from healthcert.hcert.grading import Case, grade
from healthcert.hcert.text import b45decode, strip_prefix
from tests.hcert.barcodes import (
    EKU,
    KEY,
    NOON,
    SIGNER,
    VACCINATION,
    barcode,
    claims_of,
    dcc,
    signer_certificate,
)

TEXT = barcode()
GOOD = Case(
    barcode=TEXT,
    signer=SIGNER,
    at=NOON,
    schema="1.3.3",
    base45=strip_prefix(TEXT),
    compressed=b45decode(strip_prefix(TEXT)),
    cose=decode(TEXT),
    cbor=claims_of(dcc()),
    json=dcc(),
    picture=qr.png(TEXT),
)
FLAGS = {
    "unprefix", "b45decode", "compression", "picturedecode", "verify", "decode", "keyusage",
    "schemavalidation", "expirationcheck", "validobject", "validjson", "encode",
}  # fmt: skip


def failed(**changes):
    """The flags that fail once a stage is changed."""
    return {flag for flag, held in grade(replace(GOOD, **changes)).items() if not held}


def test_all_flags_hold_of_a_certificate_that_is_right_at_every_stage():
    assert grade(GOOD) == dict.fromkeys(FLAGS, True)


ELSEWHERE = signer_certificate(usages=(EKU + "1",))


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"base45": "AB"}, {"unprefix", "b45decode"}),
        ({"base45": "::"}, {"unprefix", "b45decode"}),
        ({"compressed": b"other"}, {"b45decode", "compression"}),
        ({"cose": b"other"}, {"compression"}),
        ({"picture": qr.png("HC1:OTHER")}, {"picturedecode"}),
        ({"picture": b"no picture"}, {"picturedecode"}),
        ({"picture": qr.png("A" * 9).replace(b"IDAT", b"IDAX")}, {"picturedecode"}),
        ({"signer": b"no certificate"}, {"verify", "keyusage"}),
        ({"signer": ELSEWHERE}, {"verify", "keyusage"}),  # of tests; with another identifier
        ({"at": NOON + timedelta(days=900)}, {"expirationcheck"}),
        ({"cbor": b"\xff"}, {"decode", "validjson", "encode"}),
        ({"cbor": cbor2.dumps(dcc(dob="2001"))}, {"decode", "validjson", "encode"}),
        ({"json": dcc(dob="2001")}, {"decode", "validjson", "encode"}),
        ({"json": dcc(ver="x"), "cbor": None}, {"decode", "validobject", "validjson", "encode"}),
        ({"schema": "9.9.9"}, set()),
    ],
    ids=range(15),
)
def test_a_flag_fails_where_its_stage_is_not_what_the_step_gives(changes, flags):
    assert failed(**changes) == flags


def test_what_says_another_thing_than_the_barcode_is_no_decoding_of_it():
    other = dcc(dob="2001")
    assert failed(cbor=cbor2.dumps(other), json=other) == {"decode"}


def test_a_flag_whose_stage_is_missing_is_not_judged():
    bare = Case(TEXT, *(None for _ in range(8)))
    assert grade(bare) == {"unprefix": True, "decode": True, "schemavalidation": True}
    assert grade(replace(bare, barcode="HC2:")) == dict.fromkeys(grade(bare), False)
    assert set(grade(replace(bare, base45="::", compressed=None))) == {*grade(bare), "b45decode"}


def test_the_certificate_alone_stands_for_the_claims_around_it():
    assert failed(cbor=cbor2.dumps(dcc())) == set()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-03-01T08:00:00Z", "2026-03-01T09:00:00+01:00", True),
        ("2026-03-01T08:00:00.999Z", "2026-03-01T08:00:00Z", True),
        ("2026-03-01T08:00:00", "2026-03-01T08:00:00Z", True),
        ("2026-03-01T08:00:01Z", "2026-03-01T08:00:00Z", False),
        ("2026-03-01T08:60:00Z", "2026-03-01T08:60:00Z", True),
        ("2026-03-01T08:60:00Z", "2026-03-01T08:61:00Z", False),
    ],
)
def test_two_date_times_say_the_same_if_they_are_one_second(one, other, same):
    first, second = (dcc(v=[VACCINATION | {"sc": sc}]) for sc in (one, other))
    text = barcode(first, key=KEY)
    assert ("validjson" not in failed(barcode=text, cbor=claims_of(first), json=second)) is same
