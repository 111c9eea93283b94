"""`healthcert keys import`: other countries' signers, taken in by name."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from healthcert.hcert import key_identifier, trust_lists
from healthcert.services.trusted import load_trust
from tests.hcert.barcodes import KEY, LONG_KEY, SIGNER, STRANGER, signer_certificate
from tests.hcert.chains import ANOTHER, authority, signer

OTHER = signer_certificate(LONG_KEY)


@pytest.fixture
def trust(monkeypatch, tmp_path):
    """An empty folder of trusted signers, and three source files beside it."""
    monkeypatch.setenv("HEALTHCERT_KEYS_DIR", str(tmp_path / "keys"))
    (tmp_path / "signers").mkdir()
    (tmp_path / "signers" / "one.der").write_bytes(SIGNER)
    (tmp_path / "signers" / "two.der").write_bytes(OTHER)
    (tmp_path / "signers" / "note.txt").write_bytes(b"a note")
    (tmp_path / "empty.json").write_bytes(b"[]")
    kids = [b64encode(key_identifier(OTHER)).decode()]
    (tmp_path / "status.json").write_text(json.dumps(kids), "utf-8")
    return tmp_path / "keys" / "trust" / "certificates"


def test_a_folder_becomes_a_list_that_is_trusted(run, trust, tmp_path, monkeypatch, keys_dir):
    monkeypatch.setenv("HEALTHCERT_KEYS_DIR", str(trust.parent.parent))
    done = run("keys", "import", "lebanon", tmp_path / "signers")
    assert done.stdout == "lebanon: 2 signers of 1 countries\n"
    assert "passed over" in done.stderr
    assert {key.source for key in load_trust(trust)} == {"one.der", "two.der"}
    monkeypatch.setenv("HEALTHCERT_KEYS_DIR", str(keys_dir))
    built = run("bundle", "build", "--out", tmp_path / "b", "--trust", trust)
    assert "2 keys" in built.stdout
    shown = json.loads(run("bundle", "show", tmp_path / "b").stdout)
    assert {key["source"] for key in shown["keys"]} == {"one.der", "two.der"}


def test_an_empty_update_is_refused_and_the_list_stays(run, trust, tmp_path):
    run("keys", "import", "lebanon", tmp_path / "signers")
    assert run("keys", "import", "lebanon", tmp_path / "empty.json").exit_code == 1
    assert len(load_trust(trust)) == 2


def test_only_signers_that_are_still_valid_are_taken_in(run, trust, tmp_path):
    done = run("keys", "import", "lebanon", tmp_path / "signers", "--training",
               "--status", tmp_path / "status.json")  # fmt: skip
    assert "1 signers" in done.stdout
    assert "no longer valid" in done.stderr
    assert [(key.kid, key.training) for key in load_trust(trust)] == [(key_identifier(OTHER), True)]


def test_a_name_that_is_a_path_is_misuse(run, trust, tmp_path):
    assert run("keys", "import", "../x", tmp_path / "signers").exit_code == 2
    assert not trust.exists()


def test_a_list_is_taken_in_only_with_the_signature_asked_for(run, trust, tmp_path):
    listed = trust_lists.write(trust_lists.read(SIGNER))
    signed = tmp_path / "signed.txt"
    signed.write_bytes(b64encode(KEY.sign(listed, ECDSA(SHA256()))) + b"\n" + listed)
    pem = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, key in (("ours", KEY), ("strange", STRANGER)):
        (tmp_path / name).write_bytes(key.public_key().public_bytes(*pem))
    ask = ("keys", "import", "germany", signed, "--signed-by")
    assert run(*ask, tmp_path / "strange").exit_code == 1
    assert "1 signers" in run(*ask, tmp_path / "ours").stdout
    assert run("keys", "import", "germany", signed).exit_code == 1
    assert [key.source for key in load_trust(trust)] == ["signed.txt"]


def test_under_authorities_that_are_named_no_other_signers_are_taken_in(run, trust, tmp_path):
    for name, der in {"root": authority().der, "good": signer(authority())}.items():
        (tmp_path / name).write_bytes(der)
    (tmp_path / "signers" / "good.der").write_bytes(signer(authority()))
    ask = ("keys", "import", "lebanon", tmp_path / "signers", "--authority")
    done = run(*ask, tmp_path / "root")
    assert "1 signers" in done.stdout
    assert done.stderr.count("wrong_authority") == 2
    (tmp_path / "other").write_bytes(ANOTHER.der)
    assert run(*ask, tmp_path / "other").exit_code == 1
    assert [key.source for key in load_trust(trust)] == ["good.der"]
