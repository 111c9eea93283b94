"""`healthcert bundle` and `healthcert keys`."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from healthcert.gateways.batch_files import put_batches
from healthcert.hcert.batches import Batch
from healthcert.hcert.bundle import read, write
from healthcert.hcert.revocation import RevocationList
from healthcert.services.bundles import held
from healthcert.services.keys import load_bundle_signer, read_secret
from healthcert.services.trusted import load_pins

LONG_AFTER = datetime(2999, 1, 1, tzinfo=UTC)


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
    assert len(run("keys", "development").stdout.splitlines()) == 20
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


def pins_of(keys_dir):
    return load_pins(keys_dir / "trust" / "bundle")


def test_rules_of_a_folder_are_carried_beside_those_of_our_country(run, tmp_path, keys_dir):
    file, folder = tmp_path / "bundle.hcb", tmp_path / "rules"
    folder.mkdir()
    (folder / "rule.json").write_text('{"Identifier": "GR-FR-0001", "Logic": {"===": [1, 1]}}')
    assert run("bundle", "build", "--out", file, "--rules", folder).exit_code == 0
    rules = held(file, pins=pins_of(keys_dir))[0].rules
    assert {rule["Identifier"] for rule in rules} == {"GR-FR-0001", "TR-XX-0001", "VR-XX-0001"}


def test_other_issuers_lists_come_from_a_folder_and_go_with_it(run, tmp_path, keys_dir):
    file, folder = tmp_path / "bundle.hcb", tmp_path / "revoked"
    (folder / "FR").mkdir(parents=True)
    put_batches(
        folder / "FR",
        [Batch("FR", LONG_AFTER, None, "uvci", (bytes(16),))],
    )
    assert run("bundle", "build", "--out", file, "--revoked", folder, "--full").exit_code == 0
    found = read(file.read_bytes(), pinned=pins_of(keys_dir))
    assert found.revocation == RevocationList.of(["FR", "XX"], [("FR", "uvci", bytes(16))])
    [part] = json.loads(run("bundle", "show", file).stdout)["revocation"]["lists"]["FR"]
    assert (part["kind"], part["entries"], part["at_hand"]) == ("uvci", 1, True)
    (folder / "FR" / "FR-0001.json").unlink()
    assert run("bundle", "build", "--out", file, "--revoked", folder).exit_code == 0
    assert held(file, pins=pins_of(keys_dir))[0].revocation.lists["FR"] == ()
    (folder / "FR").rmdir()
    assert run("bundle", "build", "--out", file, "--revoked", folder).exit_code == 0
    assert held(file, pins=pins_of(keys_dir))[0].revocation.published == {"XX"}


def test_a_bundle_whose_lists_are_missing_is_not_good(run, tmp_path, bundle, keys_dir):
    file, private = tmp_path / "bundle.hcb", keys_dir / "development"
    signer = load_bundle_signer(private, read_secret(private / "secret"))
    listed = RevocationList.of(["XX"], [("XX", "uvci", bytes(16))])
    fresh = replace(bundle, revocation=listed, expires=LONG_AFTER)
    file.write_bytes(write(fresh, kid=signer.kid, sign=signer.sign, full=False))
    done = run("bundle", "verify", file)
    assert (done.exit_code, "missing" in done.output) == (1, True)
    [part] = json.loads(run("bundle", "show", file).stdout)["revocation"]["lists"]["XX"]
    assert part["at_hand"] is False
    file.write_bytes(write(fresh, kid=signer.kid, sign=signer.sign))
    assert run("bundle", "verify", file).exit_code == 0


def test_the_service_publishes_its_bundle_and_its_batches(run, tmp_path, sqlite_template):
    shutil.copy(sqlite_template, tmp_path / "healthcert.db")
    assert "version" in run("bundle", "publish").stdout
    assert run("bundle", "verify", tmp_path / "bundle.hcb").exit_code == 0
    assert run("bundle", "publish", "--full").exit_code == 0
    (tmp_path / "batches").mkdir()
    done = run("bundle", "batches", "--out", tmp_path / "batches")
    assert (done.exit_code, done.stdout) == (0, "")


@pytest.mark.parametrize("words", [("publish",), ("batches", "--out", ".")])
def test_without_tables_there_is_nothing_to_publish(run, words):
    assert run("bundle", *words).exit_code == 1
