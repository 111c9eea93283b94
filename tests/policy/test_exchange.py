"""What the EU gateway asks of a rule, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthcert.policy.exchange import complaint
from healthcert.policy.rules import read_rule
from tests.policy.test_rules import NOW, eu_rule


def stamp(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def code(told, **known):
    found = complaint(told, **known)
    return found and found.code


def from_now(**ahead):
    return eu_rule(ValidFrom=stamp(NOW + timedelta(**ahead)))


def invalidation(**members):
    return eu_rule(Identifier="IR-XX-0001", Type="Invalidation", **members)


def test_a_published_rule_that_keeps_to_everything_may_be_exchanged():
    assert code(eu_rule()) is None
    assert code(invalidation()) is None


@pytest.mark.parametrize("told", [None, {}, eu_rule(Logic=True), eu_rule(Colour="blue")])
def test_what_breaks_the_schema_is_no_rule(told):
    assert code(told) == "invalid_json"


@pytest.mark.parametrize(
    ("prefix", "kind", "certificates", "expected"),
    [
        ("GR", "Acceptance", "General", None),
        ("VR", "Acceptance", "Vaccination", None),
        ("TR", "Acceptance", "Test", None),
        ("RR", "Acceptance", "Recovery", None),
        ("IR", "Invalidation", "Test", None),
        ("IR", "Acceptance", "Test", "invalid_rule_id"),
        ("TR", "Invalidation", "Test", "invalid_rule_id"),
        ("VR", "Acceptance", "Test", "invalid_rule_id"),
        ("VR", "Acceptance", "General", "invalid_rule_id"),
    ],
)
def test_an_identifier_begins_as_its_kind_demands(prefix, kind, certificates, expected):
    told = eu_rule(Identifier=f"{prefix}-XX-0001", Type=kind, CertificateType=certificates)
    assert code(told) == expected


def test_an_identifier_names_the_country_of_its_rule():
    assert code(eu_rule(Country="YY")) == "invalid_country"


def test_a_version_that_is_known_is_named():
    known = read_rule(eu_rule(Version="1.10.2"))
    told = complaint(eu_rule(Version="1.10.2"), others=[known], now=None)
    assert "1.10.2," in told.message


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.10.0", None), ("1.9.0", "invalid_version"), ("1.2.0", "invalid_version")],
)
def test_a_version_is_higher_than_every_one_before(version, expected):
    known = [read_rule(eu_rule(Version=earlier)) for earlier in ("1.9.0", "1.8.5")]
    known.append(read_rule(eu_rule(Identifier="VR-XX-0002", Version="7.0.0")))
    assert code(eu_rule(Version=version), others=known) == expected


def test_a_new_version_does_not_begin_before_the_one_it_follows():
    known = [read_rule(eu_rule())]
    earlier = eu_rule(Version="1.0.1", ValidFrom="2025-12-31T23:59:59Z")
    assert code(earlier, others=known) == "invalid_timestamp"
    assert code(eu_rule(Version="1.0.1"), others=known) is None


def test_a_rule_is_in_force_for_72_hours_at_least():
    assert code(eu_rule(ValidTo="2026-01-04T00:00:00Z")) is None
    assert code(eu_rule(ValidTo="2026-01-03T23:59:59Z")) == "invalid_timestamp"


@pytest.mark.parametrize(
    ("ahead", "fits"),
    [
        ({"hours": 47, "minutes": 59}, False),
        ({"hours": 48}, True),
        ({"days": 14}, True),
        ({"days": 14, "seconds": 1}, False),
    ],
)
def test_a_new_acceptance_rule_begins_in_two_days_to_two_weeks(ahead, fits):
    assert code(from_now(**ahead), now=NOW) == (None if fits else "invalid_timestamp")
    assert code(from_now(**ahead)) is None


@pytest.mark.parametrize(("ahead", "fits"), [(0, False), (1, True), (14 * 86_400 + 1, False)])
def test_a_new_invalidation_rule_may_begin_at_once_but_not_in_the_past(ahead, fits):
    begins = stamp(NOW + timedelta(seconds=ahead))
    wanted = None if fits else "invalid_timestamp"
    assert code(invalidation(ValidFrom=begins), now=NOW) == wanted


@pytest.mark.parametrize("members", [{"Engine": "OTHER"}, {"SchemaVersion": "2.0.0"}])
def test_a_rule_for_an_engine_or_schema_that_nobody_here_knows_is_refused(members):
    assert code(eu_rule(**members)) == "invalid_engine"


def test_the_first_constraint_that_is_broken_is_told():
    wrong = eu_rule(Identifier="TR-YY-0001", ValidTo="2026-01-01T00:00:00Z", Engine="OTHER")
    assert code(wrong) == "invalid_rule_id"
    assert code({**wrong, "Identifier": "VR-YY-0001"}) == "invalid_country"
    assert code({**wrong, "Identifier": "VR-XX-0001"}) == "invalid_timestamp"
