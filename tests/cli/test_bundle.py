"""`healthcert bundle` and `healthcert keys`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from healthcert.hcert.bundle import write
from healthcert.hcert.revocation import RevocationList
from healthcert.services.bundles import held
from healthcert.services.keys import load_bundle_signer, load_pins, read_secret


def test_a_bundle_that_was_built_is_shown_and_verified(run, tmp_path):
    file = tmp_path / "bundle.hcb"
    assert run("bundle", "build", "--out", file).exit_code == 0
    done = run("bundle", "verify", file)
    assert (done.exit_code, "version" in done.stdout) == (0, True)
    shown = json.loads(run("bundle", "show", file).stdout)
    assert sorted(key["kinds"] for key in shown["keys"]) == ["r", "t", "v"]
    assert shown["revocation"] == {"published": ["XX"], "lists": {"XX": []}}
    assert "vaccines-covid-19-names" in shown["value_sets"]
    assert shown["previous"] is None


def test_the_next_bundle_carries_on_what_was_revoked(run, tmp_path, bundle, keys_dir):
    file, private = tmp_path / "bundle.hcb", keys_dir / "development"
    signer = load_bundle_signer(private, read_secret(private / "secret"))
    revoked = RevocationList.of(["XX"], [("XX", "uvci", bytes(16))])
    old = replace(bundle, revocation=revoked)
    file.write_bytes(write(old, kid=signer.kid, sign=signer.sign))
    assert run("bundle", "build", "--out", file).exit_code == 0
    made, _ = held(file, pins=load_pins(keys_dir / "trust" / "bundle"))
    assert made.version > old.version
    assert made.revocation == revoked


def test_a_folder_of_certificates_may_be_named(run, tmp_path, keys_dir):
    folder = tmp_path / "trust"
    folder.mkdir()
    source = keys_dir / "trust" / "certificates" / "development-test.pem"
    (folder / "test.pem").write_bytes(source.read_bytes())
    done = run("bundle", "build", "--out", tmp_path / "b", "--trust", folder)
    assert "1 keys" in done.stdout


def test_a_bundle_without_keys_is_refused(run, tmp_path):
    (tmp_path / "trust").mkdir()
    done = run("bundle", "build", "--out", tmp_path / "b", "--trust", tmp_path / "trust")
    assert done.exit_code == 1
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("verb", ["show", "verify"])
def test_what_is_no_bundle_is_refused(run, tmp_path, verb):
    assert run("bundle", verb, tmp_path / "none").exit_code == 1
    (tmp_path / "none").write_bytes(b"no bundle")
    assert run("bundle", verb, tmp_path / "none").exit_code == 1


def test_an_old_bundle_is_shown_but_not_good(run, tmp_path, bundle, keys_dir):
    private = keys_dir / "development"
    signer = load_bundle_signer(private, read_secret(private / "secret"))
    old = replace(bundle, expires=bundle.issued, audit_head=b"head", previous=bytes(32))
    (tmp_path / "old").write_bytes(write(old, kid=signer.kid, sign=signer.sign))
    assert run("bundle", "verify", tmp_path / "old").exit_code == 1
    shown = json.loads(run("bundle", "show", tmp_path / "old").stdout)
    assert (shown["audit_head"], shown["previous"]) == (b"head".hex(), "00" * 32)


def test_development_keys_are_made_once_and_listed(run, tmp_path, monkeypatch):
    monkeypatch.setenv("HEALTHCERT_KEYS_DIR", str(tmp_path / "keys"))
    assert len(run("keys", "development").stdout.splitlines()) == 18
    assert run("keys", "development").stdout == ""
    rows = [json.loads(line) for line in run("keys", "list", "--json").stdout.splitlines()]
    assert {row["kinds"] for row in rows} == {"r", "t", "v"}
    assert all(row["ours"] and "DEVELOPMENT" in row["name"] for row in rows)
    assert len(run("keys", "list").stdout.splitlines()) == 3


def test_development_keys_are_not_made_for_another_environment(run, monkeypatch):
    monkeypatch.setenv("HEALTHCERT_ENV", "training")
    assert run("keys", "development").exit_code == 1


def test_keys_are_not_listed_where_there_are_none(run, tmp_path, monkeypatch):
    monkeypatch.setenv("HEALTHCERT_KEYS_DIR", str(tmp_path / "none"))
    assert run("keys", "list").exit_code == 1
