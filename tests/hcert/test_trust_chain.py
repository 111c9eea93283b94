"""A signer counts if an authority that we know certified it, and is refused by a stable code."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta

import pytest

from healthcert.errors import BadInput, BadTrustList
from healthcert.gateways.trust_sources import gather, keep
from healthcert.hcert import trust_lists
from healthcert.hcert.trust_chain import Authorities, is_authority
from tests.hcert.barcodes import NOON, SIGNER
from tests.hcert.chains import ANOTHER, END, FORGER, START, authority, signer

ROOT = authority()
GOOD = signer(ROOT)
SECOND = timedelta(seconds=1)

REFUSED = {
    "wrong_authority": (signer(ANOTHER), [ROOT]),
    "forged_signature": (signer(FORGER), [ROOT]),
    "other_country": (signer(authority("FR")), [ROOT, authority("FR")]),
    "expired_authority": (GOOD, [authority(end=NOON - SECOND)]),
}


def known(*authorities, now=NOON, pinned=True):
    return Authorities.of([one.der for one in authorities], now=now, pinned=pinned)


def code_of(der, authorities, country="LB"):
    with pytest.raises(BadInput) as refusal:
        authorities.judge(der, country=country)
    return refusal.value.fields["certificate"]


@pytest.mark.parametrize("pinned", [True, False])
def test_a_signer_is_accepted_under_the_authority_that_certified_it(pinned):
    known(ANOTHER, ROOT, pinned=pinned).judge(GOOD, country="LB")


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize(("code", "case"), REFUSED.items())
def test_each_broken_link_is_refused_by_its_own_code(code, case, pinned):
    der, authorities = case
    assert code_of(der, known(*authorities, pinned=pinned)) == code


def test_an_authority_is_in_force_to_its_last_second_and_from_its_first():
    known(ROOT, now=END).judge(GOOD, country="LB")
    assert code_of(GOOD, known(ROOT, now=END + SECOND)) == "expired_authority"
    known(ROOT).judge(signer(ROOT, start=START), country="LB")
    assert code_of(signer(ROOT, start=START - SECOND), known(ROOT)) == "expired_authority"


def test_who_may_not_certify_is_no_authority():
    for bare in (authority(certifies=False), authority(certifies=None)):
        assert not is_authority(bare.der)
        assert code_of(GOOD, known(bare)) == "wrong_authority"
    assert is_authority(ROOT.der)
    assert not is_authority(b"no certificate")


def test_without_a_country_an_authority_certifies_nobodys_signers():
    nameless = authority("")
    assert code_of(signer(nameless), known(nameless)) == "other_country"


def test_a_certificate_that_cannot_be_read_strictly_has_no_authority():
    assert code_of(b"no certificate", known(ROOT)) == "wrong_authority"


def test_where_no_authority_of_a_country_is_known_its_signers_stand_on_the_list_alone():
    known(authority("FR"), pinned=False).judge(SIGNER, country="LB")
    assert code_of(SIGNER, known(authority("FR"), pinned=True)) == "wrong_authority"
    assert code_of(SIGNER, known(pinned=True)) == "wrong_authority"


def base64(der):
    return b64encode(der).decode()


def rows(*signers, authorities=()):
    listed = [{"rawData": base64(der), "certificateType": "DSC"} for der in signers]
    listed += [{"rawData": base64(one.der), "certificateType": "CSCA"} for one in authorities]
    return json.dumps(listed).encode()


def test_a_list_that_brings_its_authorities_is_held_to_them():
    forged = signer(FORGER)
    read = trust_lists.read(rows(forged, GOOD, authorities=[ROOT]), authorities=known(pinned=False))
    assert [one.certificate for one in read.signers] == [GOOD]
    assert "forged_signature" in read.passed_over[0]


def test_authorities_that_somebody_chose_are_not_joined_by_those_of_a_list():
    listed = rows(signer(ANOTHER), authorities=[ANOTHER])
    assert trust_lists.read(listed, authorities=known(ROOT, pinned=False)).signers
    with pytest.raises(BadTrustList, match="wrong_authority"):
        trust_lists.read(listed, authorities=known(ROOT))


def test_what_stands_behind_a_key_of_a_did_document_certifies_it():
    def document(der, *chain):
        key = {"x5c": [base64(der), *map(base64, chain), "no base64!"]}
        return json.dumps({"verificationMethod": [{"publicKeyJwk": key}]}).encode()

    judged = known(pinned=False)
    assert trust_lists.read(document(GOOD, ROOT.der), authorities=judged).signers
    with pytest.raises(BadTrustList, match="forged_signature"):
        trust_lists.read(document(signer(FORGER), ROOT.der), authorities=judged)


def test_an_authority_among_the_keys_of_a_did_document_certifies_the_others():
    ders = (GOOD, signer(FORGER), ROOT.der)
    methods = [{"publicKeyJwk": {"x5c": [base64(der)]}} for der in ders]
    document = json.dumps({"verificationMethod": methods}).encode()
    read = trust_lists.read(document, authorities=known(pinned=False))
    assert [one.certificate for one in read.signers] == [GOOD]
    assert "forged_signature" in read.passed_over[0]


@pytest.mark.parametrize(("code", "case"), REFUSED.items())
def test_a_list_of_refused_signers_never_takes_a_good_ones_place(tmp_path, code, case):
    der, authorities = case
    held, update = tmp_path / "held.json", tmp_path / "update.json"
    update.write_bytes(rows(GOOD))
    keep(held, gather([update], authorities=known(ROOT)))
    before = held.read_bytes()
    update.write_bytes(rows(der))
    with pytest.raises(BadTrustList, match=code):
        keep(held, gather([update], authorities=known(*authorities)))
    assert held.read_bytes() == before
