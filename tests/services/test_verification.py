"""Verifying from a bundle file that changes under the process."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from healthcert.gateways.bundle_files import store
from healthcert.hcert.bundle import write
from healthcert.hcert.revocation import RevocationList, uvci_hash
from healthcert.services.keys import load_bundle_signer, read_secret
from healthcert.services.trusted import load_pins
from healthcert.services.verification import Verifier, built
from tests.certificates import NOW, UVCI, make_text
from tests.policy.test_rules import eu_rule

DAY = timedelta(days=1)


@pytest.fixture
def put(bundle, keys_dir, tmp_path):
    """Return what puts a bundle in place; changes go into it."""
    private = keys_dir / "development"
    signer = load_bundle_signer(private, read_secret(private / "secret"))
    path = tmp_path / "bundle.hcb"

    def put(*, full=True, **changes):
        data = write(replace(bundle, **changes), kid=signer.kid, sign=signer.sign, full=full)
        (tmp_path / "next").write_bytes(data)
        (tmp_path / "next").replace(path)
        return path

    return put


@pytest.fixture
def make_verifier(keys_dir, tmp_path):
    """Return a maker of verifiers that pin the development keys."""
    pins = load_pins(keys_dir / "trust" / "bundle")
    return lambda **options: Verifier(tmp_path / "bundle.hcb", pins, **options)


def codes(verdict):
    return [reason["code"] for reason in verdict["reasons"]]


def test_a_bundle_may_come_after_the_start(signers, put, make_verifier):
    verifier, text = make_verifier(), make_text(signers["v"])
    assert codes(verifier.verdict(text, now=NOW)) == ["no_bundle"]
    put()
    assert verifier.verdict(text, now=NOW)["verdict"] == "valid"


def test_a_changed_file_is_read_at_the_next_verdict(signers, put, make_verifier):
    verifier, text = make_verifier(), make_text(signers["v"])
    put()
    assert verifier.verdict(text, now=NOW)["verdict"] == "valid"
    put(version=2, revocation=RevocationList.of(["XX"], [("XX", "uvci", uvci_hash(UVCI))]))
    assert codes(verifier.verdict(text, now=NOW)) == ["revoked"]


def test_a_list_that_comes_after_its_bundle_is_looked_for_again(
    signers, put, make_verifier, tmp_path
):
    verifier, text = make_verifier(), make_text(signers["v"])
    listed = RevocationList.of(["XX"], [("XX", "uvci", uvci_hash(UVCI))])
    put(revocation=listed, full=False)
    assert codes(verifier.verdict(text, now=NOW)) == ["revocation_missing"]
    store(tmp_path, listed, RevocationList())
    assert codes(verifier.verdict(text, now=NOW)) == ["revoked"]
    assert codes(verifier.verdict(text, now=NOW)) == ["revoked"]


def test_a_missing_list_is_not_looked_for_at_every_verdict(signers, put, make_verifier, tmp_path):
    verifier, text = make_verifier(), make_text(signers["v"])
    listed = RevocationList.of(["XX"], [("XX", "uvci", uvci_hash(UVCI))])
    put(revocation=listed, full=False)
    for _ in range(2):
        assert codes(verifier.verdict(text, now=NOW)) == ["revocation_missing"]
    store(tmp_path, listed, RevocationList())
    assert codes(verifier.verdict(text, now=NOW)) == ["revocation_missing"]
    later = NOW + timedelta(seconds=2)
    assert codes(verifier.verdict(text, now=later)) == ["revoked"]


def test_a_list_already_held_serves_the_next_bundle_too(signers, put, make_verifier):
    verifier, text = make_verifier(), make_text(signers["v"])
    listed = RevocationList.of(["XX"], [("XX", "uvci", uvci_hash(UVCI))])
    put(revocation=listed)
    assert codes(verifier.verdict(text, now=NOW)) == ["revoked"]
    put(version=2, revocation=listed, full=False)
    assert codes(verifier.verdict(text, now=NOW)) == ["revoked"]


def test_what_is_no_longer_listed_is_valid_again(signers, put, make_verifier):
    verifier, text = make_verifier(), make_text(signers["v"])
    put(revocation=RevocationList.of(["XX"], [("XX", "uvci", uvci_hash(UVCI))]))
    assert codes(verifier.verdict(text, now=NOW)) == ["revoked"]
    put(version=2, revocation=RevocationList.of(["XX"], []))
    assert verifier.verdict(text, now=NOW)["verdict"] == "valid"


def test_a_bundle_of_the_same_size_and_second_is_noticed(put, make_verifier):
    verifier = make_verifier()
    path = put()
    stamp = path.stat()
    assert verifier.bundle(NOW).version == 1
    path = put(version=2)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert path.stat().st_size == stamp.st_size
    assert verifier.bundle(NOW).version == 2


@pytest.mark.parametrize(
    "change",
    [{"version": 0}, {"version": 2, "expires": NOW - DAY}, {"issued": NOW - DAY}],
    ids=["older", "expired", "made earlier"],
)
def test_a_worse_bundle_leaves_the_good_one_in_use(put, make_verifier, caplog, change):
    verifier = make_verifier()
    put()
    good = verifier.bundle(NOW)
    put(**change)
    with caplog.at_level(logging.WARNING):
        assert verifier.bundle(NOW) is good
    assert verifier.bundle(NOW) is good
    assert caplog.messages in (
        ["bundle refused: older_bundle"],
        ["bundle refused: expired_bundle"],
    )


@pytest.mark.parametrize("data", [b"", b"no bundle"])
def test_a_broken_or_vanished_file_leaves_the_good_one_in_use(put, make_verifier, data):
    verifier = make_verifier()
    path = put()
    good = verifier.bundle(NOW)
    path.write_bytes(data)
    assert verifier.bundle(NOW) is good
    path.unlink()
    assert verifier.bundle(NOW) is good
    put(version=2)
    assert verifier.bundle(NOW).version == 2


def test_a_bundle_under_a_key_that_is_not_pinned_is_not_used(signers, put, keys_dir):
    following = load_pins(keys_dir / "trust" / "bundle")[1]
    verifier = Verifier(put(), [following])
    assert codes(verifier.verdict(make_text(signers["v"]), now=NOW)) == ["no_bundle"]


def test_a_path_that_is_no_file_is_no_bundle(make_verifier, tmp_path):
    (tmp_path / "bundle.hcb").mkdir()
    assert make_verifier().bundle(NOW) is None


def test_the_latest_time_seen_is_the_clocks_floor(signers, put, make_verifier):
    verifier = make_verifier()
    put()
    text = make_text(signers["v"], expires=NOW + DAY)
    assert verifier.verdict(text, now=NOW)["verdict"] == "valid"
    assert verifier.verdict(text, now=NOW + 2 * DAY)["verdict"] == "expired"
    assert verifier.verdict(text, now=NOW)["verdict"] == "expired"
    shown = verifier.verdict(text, now=NOW, at=NOW)
    assert (shown["verdict"], codes(shown)) == ("valid", ["simulated"])


def test_a_time_given_by_hand_is_no_floor(signers, put, make_verifier):
    verifier, text = make_verifier(), make_text(signers["v"], expires=NOW + DAY)
    put()
    assert verifier.verdict(text, now=NOW, at=NOW + 2 * DAY)["verdict"] == "expired"
    assert verifier.verdict(text, now=NOW)["verdict"] == "valid"


def test_a_moment_surely_past_is_a_floor_from_the_start(signers, put, make_verifier):
    put()
    text = make_text(signers["v"], expires=NOW + DAY)
    verifier = make_verifier(floor=NOW + 2 * DAY)
    assert verifier.verdict(text, now=NOW)["verdict"] == "expired"


def test_the_age_that_is_too_old_can_be_set(signers, put, make_verifier):
    put()
    verifier = make_verifier(stale_after=timedelta(hours=1))
    late = NOW + timedelta(hours=2)
    assert codes(verifier.verdict(make_text(signers["v"]), now=late)) == ["stale_bundle"]


def test_country_and_detail_are_handed_on(signers, put, make_verifier):
    put()
    shown = make_verifier().verdict(
        make_text(signers["v"]), now=NOW, country="FR", detail="minimal"
    )
    assert codes(shown) == ["no_requirement"]
    assert shown["certificate"] is None


def test_the_rules_of_a_bundle_are_judged_and_change_with_it(signers, put, make_verifier):
    verifier, text = make_verifier(), make_text(signers["v"])
    put(rules=({"Identifier": "GR-XX-0001"}, eu_rule(Country="FR"), eu_rule(), {}))
    assert verifier.countries(NOW) == {"FR", "XX"}
    shown = verifier.verdict(text, now=NOW, country="XX")
    assert (shown["verdict"], codes(shown)) == ("check", ["rules_open"])
    assert [(rule["id"], rule["result"]) for rule in shown["rules"]] == [
        ("VR-XX-0001", "passed"),
        ("GR-XX-0001", "open"),
        ("", "open"),
    ]
    put(version=2, rules=(eu_rule(),))
    assert verifier.verdict(text, now=NOW, country="XX")["verdict"] == "valid"
    assert verifier.verdict(text, now=NOW)["rules"] == []


def test_rules_read_the_codes_of_the_bundle_or_else_ours(signers, put, make_verifier):
    def known(name, member):
        of = {"var": f"external.valueSets.{name}"}
        return eu_rule(Logic={"in": [{"var": f"payload.v.0.{member}"}, of]})

    vaccines = known("vaccines-covid-19-names", "mp")
    put(rules=(vaccines, known("disease-agent-targeted", "tg") | {"Identifier": "GR-XX-0001"}))
    text, verifier = make_text(signers["v"]), make_verifier()
    assert codes(verifier.verdict(text, now=NOW, country="XX")) == []
    put(version=2, rules=(vaccines,), value_sets={"vaccines-covid-19-names": {"other": "Other"}})
    assert codes(verifier.verdict(text, now=NOW, country="XX")) == ["rules_failed"]


def test_many_threads_share_one_verifier_while_the_file_changes(signers, put, make_verifier):
    put()
    verifier, text = make_verifier(), make_text(signers["v"])

    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(verifier.verdict, text, now=NOW) for _ in range(40)]
        for version in range(2, 8):
            put(version=version)
            found += [pool.submit(verifier.verdict, text, now=NOW) for _ in range(10)]
    assert {done.result()["verdict"] for done in found} == {"valid"}
    assert verifier.bundle(NOW).version == 7


def test_the_time_of_building_is_past():
    assert built().timestamp() < time.time()


def test_verification_reaches_no_record():
    program = (
        "import sys, healthcert.services.verification\n"
        "known = [name for name in sys.modules if name.startswith("
        "('sqlalchemy', 'flask', 'healthcert.models', 'healthcert.db'))]\n"
        "sys.exit(str(known) if known else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
