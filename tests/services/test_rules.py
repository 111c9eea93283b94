"""The rules we hold: ours, those taken in, and files that are none."""

from __future__ import annotations

import json

import pytest

from healthcert.policy.rulebook import RuleBook
from healthcert.policy.rules import read_rule
from healthcert.services.rules import held, take_in
from tests.policy.test_rules import eu_rule

FOREIGN = eu_rule(Identifier="VR-FR-0001", Country="FR")


def identifiers(rules):
    return [rule["Identifier"] for rule in rules]


def test_the_demonstration_country_has_rules_of_its_own_in_its_languages(tmp_path):
    ours = held(tmp_path / "none", "XX")
    assert identifiers(ours) == ["TR-XX-0001", "VR-XX-0001"]
    for rule in map(read_rule, ours):
        assert rule.descriptions.keys() == {"en", "fr", "ar"}
        assert len(set(rule.descriptions.values())) == 3


def test_another_country_does_not_carry_the_demonstrations_rules(tmp_path):
    assert held(tmp_path, "FR") == ()


def test_a_rule_taken_in_is_held_beside_ours_and_known_from_then_on(tmp_path):
    assert take_in(tmp_path, FOREIGN, country="XX", now=None) == "taken in"
    assert take_in(tmp_path, FOREIGN, country="XX", now=None) == "known"
    assert identifiers(held(tmp_path, "XX")) == ["TR-XX-0001", "VR-FR-0001", "VR-XX-0001"]
    assert held(tmp_path, "FR") == (FOREIGN,)


def test_versions_are_kept_side_by_side_until_the_newer_is_in_force(tmp_path):
    for version in ("1.9.0", "1.10.0"):
        told = {**FOREIGN, "Version": version}
        assert take_in(tmp_path, told, country="FR", now=None) == "taken in"
    assert len(held(tmp_path, "FR")) == 2
    again = take_in(tmp_path, {**FOREIGN, "Version": "1.9.1"}, country="FR", now=None)
    assert again.code == "invalid_version"
    assert len(held(tmp_path, "FR")) == 2


def test_our_own_rule_is_followed_by_a_higher_version_only(tmp_path):
    told = eu_rule(Version="1.0.0")
    assert take_in(tmp_path, told, country="XX", now=None).code == "invalid_version"
    told = eu_rule(Version="1.1.0")
    assert take_in(tmp_path, told, country="XX", now=None) == "taken in"
    assert told in held(tmp_path, "XX")


@pytest.mark.parametrize("text", ["", "[]", '{"Identifier": ', "[" * 100_000])
def test_a_file_that_is_no_rule_is_open_for_its_country_and_stops_nothing(tmp_path, text):
    take_in(tmp_path, FOREIGN, country="FR", now=None)
    (tmp_path / "FR" / "VR-FR-0009-1.0.0.json").write_text(text)
    rules = held(tmp_path, "FR")
    assert len(rules) == 2
    (unread,) = RuleBook.of(rules).unread[("Acceptance", "FR")]
    assert (unread.identifier, unread.result) == ("VR-FR-0009-1.0.0", "open")
    later = {**FOREIGN, "Version": "1.0.1"}
    assert take_in(tmp_path, later, country="FR", now=None) == "taken in"


def test_a_rule_lies_in_a_file_of_its_own_with_its_words_legible(tmp_path):
    take_in(tmp_path, FOREIGN, country="FR", now=None)
    text = (tmp_path / "FR" / "VR-FR-0001-1.0.0.json").read_text("utf-8")
    assert json.loads(text) == FOREIGN
    assert "La dernière dose" in text
