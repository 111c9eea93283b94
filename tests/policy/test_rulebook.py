"""A bundle's rules, compiled once: whose they are, what they may read, and bad ones among them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.hcert.cwt import Claims
from healthcert.policy.rulebook import RuleBook
from tests.certificates import NOW, make_dcc
from tests.policy.test_rules import eu_rule

CLAIMS = Claims("YY", 1_767_225_600, 1_798_761_600.5, {})


def asked(book, country="XX", issuer="YY", claims=CLAIMS):
    return book.judge(
        make_dcc(),
        kind="v",
        claims=claims,
        kid=bytes(8),
        issuer=issuer,
        country=country,
        at=NOW,
        language="en",
    )


def said(*rules, **where):
    judged, _ = asked(RuleBook.of(rules), **where)
    return [(rule.identifier, rule.result) for rule in judged]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("countryCode", "XX"),
        ("issuerCountryCode", "YY"),
        ("region", ""),
        ("kid", "AAAAAAAAAAA="),
        ("iat", "2026-01-01T00:00:00.000Z"),
        ("exp", "2027-01-01T00:00:00.500Z"),
        ("validationClock", "2026-03-02T12:00:00.000Z"),
        ("valueSets.colours.1", "blue"),
    ],
)
def test_rules_read_what_the_eus_own_verifiers_tell_them(path, value):
    logic = {"===": [{"var": f"external.{path}"}, value]}
    book = RuleBook.of([eu_rule(Logic=logic)], {"colours": ("red", "blue")})
    (judged,), _ = asked(book)
    assert judged.result == "passed"


def test_a_time_that_was_not_signed_is_null_to_a_rule():
    logic = {"!": [{"var": "external.iat"}]}
    (judged,), _ = asked(RuleBook.of([eu_rule(Logic=logic)]), claims=Claims(None, None, 1, {}))
    assert judged.result == "passed"


def test_a_bad_rule_is_open_for_its_owner_alone():
    arrival = {"Identifier": "GR-XX-0002", "Country": "XX"}
    issuers = {"Identifier": "IR-YY-0002", "Country": "YY", "Type": "Invalidation"}
    assert said(eu_rule(), issuers, arrival) == [
        ("VR-XX-0001", "passed"),
        ("GR-XX-0002", "open"),
        ("IR-YY-0002", "open"),
    ]
    assert said(issuers, arrival, country="ZZ", issuer="ZZ") == []


@pytest.mark.parametrize("rule", [7, {}, {"Type": "Invalidation", "Country": 7}, {"Identifier": 7}])
def test_a_rule_that_does_not_say_whose_it_is_is_open_for_everybody(rule):
    assert said(rule, country="ZZ") == [("", "open")]
    assert asked(RuleBook.of([rule]))[1] is False


def test_the_countries_are_those_with_rules_of_arrival():
    issuers = eu_rule(Identifier="IR-YY-0001", Type="Invalidation", Country="YY")
    assert RuleBook.of([eu_rule(), issuers]).countries == {"XX"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(member=st.sampled_from(sorted(eu_rule())), value=ANYTHING)
def test_whatever_stands_in_a_rule_it_gets_an_answer(member, value):
    judged, _ = asked(RuleBook.of([eu_rule(**{member: value})]))
    assert len(judged) <= 1
