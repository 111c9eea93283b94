"""The offline bundle as a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthcert.errors import BadBundle, ExpiredBundle, OlderBundle
from healthcert.hcert.bundle import Bundle, newer, read, write
from healthcert.hcert.bundled_lists import manifest, part_of
from healthcert.hcert.cose import ES256, parse, sign1
from healthcert.hcert.revocation import Named, RevocationList
from healthcert.hcert.trust import TrustedKey, TrustList
from healthcert.services.keys import load_bundle_signer, read_secret
from healthcert.services.trusted import load_pins, load_trust
from tests.certificates import NOW

EDWARDS = (
    Ed25519PrivateKey.generate()
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)


@pytest.fixture(scope="module")
def signer(keys_dir):
    private = keys_dir / "development"
    return load_bundle_signer(private, read_secret(private / "secret"))


@pytest.fixture(scope="module")
def pins(keys_dir):
    return load_pins(keys_dir / "trust" / "bundle")


@pytest.fixture(scope="module")
def bundle(keys_dir):
    """A bundle in which every member says something."""
    practice = TrustedKey(
        kid=b"practice",
        key=rsa.generate_private_key(65537, 2048).public_key(),
        country="",
        usages=frozenset(),
        name="",
        not_before=None,
        not_after=None,
        training=True,
    )
    return Bundle(
        version=7,
        issued=NOW,
        expires=NOW + timedelta(days=30),
        previous=bytes(32),
        trust=TrustList([*load_trust(keys_dir / "trust" / "certificates"), practice]),
        revocation=RevocationList.of(["XX", "YY"], [("XX", "uvci", bytes(16))]),
        rules=({"Identifier": "GR-XX-0001", "Logic": {"===": [1, 1]}},),
        value_sets={"disease-agent-targeted": {"840539006": "COVID-19"}},
        audit_head=b"head",
    )


def contents_of(bundle, signer):
    signed = write(bundle, kid=signer.kid, sign=signer.sign, full=False)
    return cbor2.loads(parse(signed).payload)


def test_a_bundle_reads_back_as_it_was_written(bundle, signer, pins):
    found = read(write(bundle, kid=signer.kid, sign=signer.sign), pinned=pins)
    assert list(found.trust) == list(bundle.trust)
    assert replace(found, trust=bundle.trust) == bundle


def test_a_bundle_says_that_its_format_is_the_second(bundle, signer):
    assert contents_of(bundle, signer)["format"] == 2


def test_lists_that_are_not_packed_are_named_and_missing(bundle, signer, pins):
    found = read(write(bundle, kid=signer.kid, sign=signer.sign, full=False), pinned=pins)
    assert found.revocation == bundle.revocation
    assert found.revocation.missing() == [*bundle.revocation.lists["XX"]]
    assert (found.revocation.holds("XX"), found.revocation.holds("YY")) == (False, True)


@pytest.mark.parametrize(
    "behind",
    [
        b"\x00",  # no bytes
        b"\x40",  # bytes that are not named
        b"\xd8\x23\x61x",  # a tag that a decoder would act upon
        b"\x58",  # cut short
        b"\x44abc",
    ],
)
def test_what_lies_behind_a_bundle_must_be_named_in_it(bundle, signer, pins, behind):
    for full in (True, False):
        data = write(bundle, kid=signer.kid, sign=signer.sign, full=full)
        with pytest.raises(BadBundle):
            read(data + behind, pinned=pins)


def test_behind_a_bundle_lie_at_most_as_many_parts_as_it_may_name(bundle, signer, pins):
    data = write(bundle, kid=signer.kid, sign=signer.sign, full=False)
    with pytest.raises(BadBundle, match="does not name"):
        read(data + 3_072 * b"\x40", pinned=pins)
    with pytest.raises(BadBundle, match="not a signed bundle: more than 3073 items"):
        read(data + 3_073 * b"\x40", pinned=pins)


def listed(**changes):
    part = {"kind": "uvci", "entries": 1, "sha256": bytes(32), "size": 9} | changes
    return {"published": ["XX"], "lists": {"XX": [part]}}


def test_a_part_has_a_byte_at_least_and_64_mebibytes_at_most():
    for size in (1, 67_108_864):
        assert manifest(listed(size=size)).lists["XX"][0].file.size == size
    for size in (0, 67_108_865):
        with pytest.raises(ValueError, match="size"):
            manifest(listed(size=size))


def test_a_manifest_names_at_most_3072_parts():
    told = listed()
    told["lists"]["XX"] *= 3_072
    assert len(manifest(told).lists["XX"]) == 3_072
    told["lists"]["YY"] = told["lists"]["XX"][:1]
    with pytest.raises(ValueError, match="parts"):
        manifest(told)


def test_a_list_packed_twice_is_refused(bundle, signer, pins):
    bare = write(bundle, kid=signer.kid, sign=signer.sign, full=False)
    behind = write(bundle, kid=signer.kid, sign=signer.sign)[len(bare) :]
    assert read(bare + behind, pinned=pins).revocation.holds("XX")
    with pytest.raises(BadBundle):
        read(bare + behind + behind, pinned=pins)


def test_a_part_must_be_the_one_named(bundle):
    [part] = bundle.revocation.lists["XX"]
    [table] = bundle.revocation.tables.values()
    assert part_of(table.as_bytes(), part) == table
    with pytest.raises(BadBundle):
        part_of(table.as_bytes() + b"\0", part)


def test_how_to_get_from_one_part_to_the_next_is_told(bundle, signer, pins):
    [part] = bundle.revocation.lists["XX"]
    told = replace(part, changes=Named(b"c" * 32, 9))
    listed = replace(bundle.revocation, lists={"XX": (told,)})
    data = write(replace(bundle, revocation=listed), kid=signer.kid, sign=signer.sign)
    assert read(data, pinned=pins).revocation.lists == {"XX": (told,)}


def test_either_pinned_key_may_sign(bundle, keys_dir, pins):
    private = keys_dir / "development"
    following = load_bundle_signer(private, read_secret(private / "secret"), which="next")
    data = write(bundle, kid=following.kid, sign=following.sign)
    assert read(data, pinned=pins).version == bundle.version
    with pytest.raises(BadBundle):
        read(data, pinned=pins[:1])


def test_without_a_pinned_key_nothing_is_a_bundle(bundle, signer):
    with pytest.raises(BadBundle):
        read(write(bundle, kid=signer.kid, sign=signer.sign), pinned=[])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_one_changed_byte_is_refused(bundle, signer, pins, data):
    whole = bytearray(write(bundle, kid=signer.kid, sign=signer.sign))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadBundle):
        read(bytes(whole), pinned=pins)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_other_bytes_are_refused(pins, data):
    with pytest.raises(BadBundle):
        read(data, pinned=pins)


@pytest.mark.parametrize(
    "change",
    [
        lambda contents: contents.pop("revocation"),
        lambda contents: contents.update(version="seven"),
        lambda contents: contents.update(issued=1 << 80),
        lambda contents: contents["keys"][0].update(spki=b"no key"),
        lambda contents: contents["keys"][0].update(spki=EDWARDS),
        lambda contents: contents.update(format=1),
        lambda contents: contents["revocation"].update(lists=[]),
        lambda contents: contents["revocation"]["lists"]["XX"][0].update(kind="iris"),
        lambda contents: contents["revocation"]["lists"]["XX"][0].update(sha256=bytes(31)),
        lambda contents: contents["revocation"]["lists"]["XX"][0].update(sha256="0" * 32),
        lambda contents: contents["revocation"]["lists"]["XX"][0].update(size=1 << 40),
        lambda contents: contents["revocation"]["lists"]["XX"][0].update(size=True),
        lambda contents: contents["revocation"]["lists"]["XX"][0].update(changes={}),
        lambda contents: contents["revocation"]["lists"].update(
            YY=3_073 * contents["revocation"]["lists"]["XX"]
        ),
    ],
)
def test_signed_contents_of_another_shape_are_no_bundle(bundle, signer, pins, change):
    contents = contents_of(bundle, signer)
    change(contents)
    message = sign1(cbor2.dumps(contents), kid=signer.kid, algorithm=ES256, sign=signer.sign)
    with pytest.raises(BadBundle):
        read(message, pinned=pins)


def test_signed_bytes_that_are_no_cbor_map_are_no_bundle(signer, pins):
    for payload in (b"", b"\xff", cbor2.dumps([1, 2])):
        message = sign1(payload, kid=signer.kid, algorithm=ES256, sign=signer.sign)
        with pytest.raises(BadBundle):
            read(message, pinned=pins)


def test_a_member_nobody_knows_is_passed_over(bundle, signer, pins):
    contents = contents_of(bundle, signer)
    data = cbor2.dumps(contents | {"new": 1})
    message = sign1(data, kid=signer.kid, algorithm=ES256, sign=signer.sign)
    assert read(message, pinned=pins).version == 7


def test_the_first_bundle_and_the_same_or_a_newer_one_are_taken(bundle):
    for old in (None, bundle, replace(bundle, version=6)):
        assert newer(old, bundle, now=NOW) is bundle


@pytest.mark.parametrize(
    "change", [{"version": 6}, {"version": 6, "issued": NOW + timedelta(days=1)}]
)
def test_an_older_bundle_does_not_take_the_place_of_a_newer_one(bundle, change):
    with pytest.raises(OlderBundle):
        newer(bundle, replace(bundle, **change), now=NOW)


def test_of_one_version_the_one_made_earlier_is_refused(bundle):
    with pytest.raises(OlderBundle):
        newer(bundle, replace(bundle, issued=NOW - timedelta(seconds=1)), now=NOW)


def test_a_bundle_is_taken_to_its_last_second(bundle):
    assert newer(None, bundle, now=bundle.expires) is bundle
    with pytest.raises(ExpiredBundle):
        newer(None, bundle, now=bundle.expires + timedelta(seconds=1))
