"""Lists of signers on the disk: files, folders, and the one in use."""

from __future__ import annotations

import pytest

from healthcert.errors import BadTrustList
from healthcert.gateways.trust_sources import gather, keep
from healthcert.hcert import trust_lists
from tests.hcert.barcodes import LONG_KEY, RSA_KEY, SIGNER, signer_certificate

OTHER, THIRD = signer_certificate(LONG_KEY), signer_certificate(RSA_KEY)


def folder_of(place, **files):
    place.mkdir()
    for name, data in files.items():
        (place / name).write_bytes(data)
    return place


def certificates(listed):
    return {signer.certificate for signer in listed.signers}


def test_files_and_folders_are_read_together(tmp_path):
    folder = folder_of(tmp_path / "many", one=SIGNER, two=OTHER)
    (folder / "deeper").mkdir()
    file = tmp_path / "third.der"
    file.write_bytes(THIRD)
    found = gather([folder, file], training=True)
    assert certificates(found) == {SIGNER, OTHER, THIRD}
    assert {signer.key.source for signer in found.signers} == {"one", "two", "third.der"}
    assert all(signer.key.training for signer in found.signers)


def test_a_file_of_a_folder_that_is_no_list_is_passed_over(tmp_path):
    found = gather([folder_of(tmp_path / "many", one=SIGNER, readme=b"Signers of Lebanon")])
    assert certificates(found) == {SIGNER}
    assert "readme" in found.passed_over[0]


@pytest.mark.parametrize("files", [{}, {"readme": b"none"}])
def test_a_folder_without_a_signer_is_refused(tmp_path, files):
    with pytest.raises(BadTrustList):
        gather([folder_of(tmp_path / "none", **files)])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadTrustList, match="No such file"):
        gather([tmp_path / "none"])


def test_a_bad_update_never_takes_the_place_of_a_good_list(tmp_path):
    path = tmp_path / "lists" / "gdhcn.json"
    good = trust_lists.joined([trust_lists.read(der) for der in (SIGNER, OTHER, THIRD)])
    keep(path, good)
    before = path.read_bytes()
    for bad in (trust_lists.SignerList(()), trust_lists.read(SIGNER)):
        with pytest.raises(BadTrustList):
            keep(path, bad)
        assert path.read_bytes() == before
    keep(path, trust_lists.SignerList(good.signers[:2]))
    assert certificates(gather([path])) == {SIGNER, OTHER}


def test_a_broken_list_gives_way_to_a_good_one(tmp_path):
    path = tmp_path / "gdhcn.json"
    path.write_bytes(b"broken")
    keep(path, trust_lists.read(SIGNER))
    assert certificates(gather([path])) == {SIGNER}
