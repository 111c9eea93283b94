"""The public test data: each graded verdict is ours too."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from healthcert.hcert import from_certificate, trust_lists
from healthcert.hcert.grading import grade
from tests.conformance.conftest import case_of

pytestmark = [pytest.mark.conformance, pytest.mark.xdist_group("vectors")]

NOT_HERE = {"picturedecode"}  # the pictures are judged where pictures are read


@pytest.fixture(scope="session")
def verdicts(vectors):
    """Each graded flag: (vector, flag, expected, got); disputed flags are set aside."""
    rows = []
    for vector in vectors:
        got = grade(case_of(vector))
        for flag, expected in vector["expect"].items():
            if flag not in NOT_HERE and flag not in vector.get("disputed", {}):
                rows.append((vector["id"], flag, expected, got.get(flag)))
    return rows


def table(verdicts):
    """Lay out how often each flag was expected, and how often we disagree."""
    counts = Counter((flag, expected, expected == got) for _, flag, expected, got in verdicts)
    line = "{:18} {:>9} {:>9} {:>9} {:>9}".format
    rows = [line("flag", "true: ok", "mismatch", "false: ok", "mismatch")]
    for flag in sorted({flag for flag, _, _ in counts}):
        kinds = [counts[flag, told, ok] for told in (True, False) for ok in (True, False)]
        rows.append(line(flag, *kinds))
    return "\n".join(rows)


def test_every_graded_verdict_is_the_issuers_own(verdicts, say):
    say(table(verdicts))
    assert len(verdicts) > 2_000
    assert [row for row in verdicts if row[2] != row[3]] == []


@pytest.mark.parametrize("flag", ["verify", "decode"])
def test_signatures_and_payloads_agree_nearly_always(verdicts, flag):
    rows = [row for row in verdicts if row[1] == flag]
    agree = sum(expected == got for _, _, expected, got in rows)
    assert agree >= 0.95 * len(rows)


def test_every_signers_certificate_is_read(vectors):
    signers = {case_of(vector).signer for vector in vectors} - {None}
    assert len({from_certificate(signer).kid for signer in signers}) == len(signers) > 60


def test_every_signer_is_taken_in_from_a_list_with_its_country_and_usage(vectors):
    signers = {vector["cert"]: vector["country"] for vector in vectors if vector.get("cert")}
    by_country = {}
    for signer, country in signers.items():
        by_country.setdefault(country, []).append(signer)
    listed = trust_lists.read(json.dumps(by_country).encode(), source="test data")
    assert (len(listed.signers), listed.passed_over) == (len(signers), ())
    again = trust_lists.read(trust_lists.write(listed)).trust()
    for key in listed.trust():
        [same] = again.find(key.kid)
        assert (same.country, same.usages, same.source) == (key.country, key.usages, "test data")
