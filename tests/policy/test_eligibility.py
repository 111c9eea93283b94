"""Whom a phase admits: worked examples, and that nothing is asked of papers."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.policy import eligibility
from healthcert.policy.eligibility import Facts, Stage, admits, decide

DAY = date(2026, 3, 2)
NURSES = Stage("nurses", {"occupation": ["health_worker"]}, date(2026, 1, 1), date(2026, 3, 31))
OLD = Stage("old", {"age": {"from_years": 65}}, date(2026, 2, 1), None)
FRAIL = Stage(
    "frail",
    {"any": [{"age": {"from_years": 50}, "risk": ["diabetes", "heart"]}, {"pregnant": True}]},
    date(2026, 4, 1),
    None,
)
ALL = Stage("all", {"age": {"from_years": 12}}, date(2026, 6, 1), None)
STAGES = (ALL, FRAIL, OLD, NURSES)


def facts(born: str = "1990-01-01", day: date = DAY, doses: int = 0, **told: list[str]) -> Facts:
    return Facts(born, day, doses, told)


@pytest.mark.parametrize(
    ("who", "phase", "opens"),
    [
        (facts("1960-03-02"), "old", None),
        (facts("1961-03-02"), "old", None),
        (facts("1961-03-03"), "", ("all", ALL.opens_on)),
        (facts("1961"), "old", None),  # what is open in a birth date speaks for the person
        (facts(occupation=["health_worker"]), "nurses", None),
        (facts(occupation=["teacher"]), "", ("all", ALL.opens_on)),
        (facts(occupation=["health_worker"], day=date(2026, 4, 1)), "", ("all", ALL.opens_on)),
        (facts("1970-01-01", risk=["heart"]), "", ("frail", FRAIL.opens_on)),
        (facts(pregnant=["yes"]), "", ("frail", FRAIL.opens_on)),
        (facts(pregnant=["yes"], day=date(2026, 4, 1)), "frail", None),
        (facts("2014-06-01"), "", ("all", ALL.opens_on)),  # twelve on that very day
        (facts("2014-06-02"), "", None),
    ],
)
def test_worked_examples(who, phase, opens):
    answer = decide(STAGES, who)
    assert (answer.phase, answer.opens) == (phase, opens)


def test_a_refusal_says_what_is_asked_and_when_it_opens():
    reasons = [(each.code, dict(each.about)) for each in decide(STAGES, facts()).reasons]
    assert reasons == [
        ("asks", {"phase": "nurses", "field": "occupation"}),
        ("asks", {"phase": "old", "field": "age"}),
        ("opens", {"phase": "all", "on": "2026-06-01"}),
    ]


def test_of_what_a_phase_asks_only_what_does_not_fit_is_named():
    stage = Stage("both", {"age": {"from_years": 18}, "region": ["coast"]}, DAY, None)
    [reason] = decide([stage], facts()).reasons
    assert reason.about == {"phase": "both", "field": "region"}


def test_what_people_are_asked_is_what_can_be_told_and_counts_still():
    deep = {"all": [{"not": {"region": ["b", "a"]}}, {"any": [{"risk": ["heart", "lung"]}]}]}
    stages = (FRAIL, Stage("deep", deep, DAY, DAY), OLD, ALL, NURSES)
    first = eligibility.asked(stages, DAY)
    assert [*first.items()] == [
        ("region", ["b", "a"]), ("occupation", ["health_worker"]),
        ("risk", ["diabetes", "heart", "lung"]), ("pregnant", ["yes"]),
    ]  # fmt: skip
    assert eligibility.asked(stages, date(2026, 3, 31)).keys() == {"occupation", "risk", "pregnant"}
    assert eligibility.asked(stages, date(2026, 4, 1)) == {
        "risk": ["diabetes", "heart"],
        "pregnant": ["yes"],
    }
    assert eligibility.asked((OLD, ALL), DAY) == {}
    assert eligibility.asked([Stage("not", {"pregnant": False}, DAY, None)], DAY) == {
        "pregnant": ["yes"]
    }


def test_where_nothing_is_open_it_says_so():
    assert [each.code for each in decide([], facts()).reasons] == ["no_phase_open"]


def test_what_an_open_birth_date_left_open_is_said():
    assert [each.code for each in decide(STAGES, facts("1961")).reasons] == [
        "admitted",
        "birth_date_open",
    ]


@pytest.mark.parametrize(
    ("asked", "who", "holds"),
    [
        ({}, facts(), True),
        ({"not": {"region": ["coast"]}}, facts(region=["coast"]), False),
        ({"not": {"region": ["coast"]}}, facts(), True),
        ({"age": {"from_months": 9, "below_years": 2}}, facts("2025-06-02"), True),
        ({"age": {"from_months": 9, "below_years": 2}}, facts("2025-06-03"), False),
        ({"age": {"below_years": 2}}, facts("2024-03-02"), False),
        ({"age": {"below_years": 2}}, facts("2024"), None),
        ({"not": {"age": {"from_years": 65}}}, facts("1961"), None),
        ({"doses": {"at_least": 1}}, facts(), False),
        ({"doses": {"at_least": 1, "at_most": 1}}, facts(doses=1), True),
        ({"doses": {"at_most": 1}}, facts(doses=2), False),
        ({"all": [{"district": ["d1"]}, {"pregnant": False}]}, facts(district=["d1"]), True),
        ({"any": [{"district": ["d2"]}, {"pregnant": True}]}, facts(district=["d1"]), False),
    ],
)
def test_each_field_and_each_way_to_join_them(asked, who, holds):
    assert admits(asked, who) is holds


ages = st.integers(0, 120)
leaf = st.one_of(
    st.builds(lambda years: {"age": {"from_years": years}}, ages),
    st.builds(lambda years: {"age": {"below_years": years}}, ages),
    st.just({"occupation": ["health_worker"]}),
    st.builds(lambda least: {"doses": {"at_least": least}}, st.integers(0, 3)),
)
asked = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.builds(lambda each: {"not": each}, inner),
        st.builds(lambda each: {"all": each}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda each: {"any": each}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)
births = st.sampled_from(["1950", "1961", "1961-03", "1961-03-02", "2014-06-02", "2025-12"])


@given(asked, births)
def test_not_turns_every_answer_round_and_the_same_is_answered_twice(wanted, born):
    found, turned = admits(wanted, facts(born)), admits({"not": wanted}, facts(born))
    assert turned is (None if found is None else not found)
    assert decide([Stage("a", wanted, DAY, None)], facts(born)) == decide(
        [Stage("a", wanted, DAY, None)], facts(born)
    )


@given(st.integers(1, 120), births, st.integers(0, 4000), st.integers(0, 4000))
def test_who_is_old_enough_stays_old_enough(years, born, days_1, days_2):
    stage = Stage("from", {"age": {"from_years": years}}, date(2026, 1, 1), None)
    sooner, later = (date.fromordinal(DAY.toordinal() + d) for d in sorted((days_1, days_2)))
    if decide([stage], facts(born, sooner)).phase:
        assert decide([stage], facts(born, later)).phase
