"""The first day on which a rule would pass is the one that trying every day finds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import RuleError
from healthcert.policy.arrival import LONGEST_WAIT, WAIT_FUEL, clock, judge
from healthcert.policy.certlogic import compile_logic
from healthcert.policy.rules import read_rule
from tests.policy.test_rules import eu_rule

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
CLOCK = {"var": "external.validationClock"}
PAYLOAD = {"v": [{"dt": "2026-06-10", "at": "2026-05-01T10:00:00Z"}], "dob": "1990-02", "none": "x"}
EXTERNAL = {"list": [1] * 200, "valueSets": {"none": []}}


def first_of_all(logic, at, most, external=EXTERNAL):
    """Return the first day that passes when each is tried, all of them on one store of fuel."""
    compiled, fuel = compile_logic(logic), [WAIT_FUEL]
    for days in range(1, most + 1):
        then = at + timedelta(days=days)
        data = {"payload": PAYLOAD, "external": external | {"validationClock": clock(then)}}
        try:
            if compiled.evaluate(data, fuel) is True:
                return then.date()
        except RuleError:
            continue
    return None


def found(logic, at=NOW, external=EXTERNAL):
    return judge([read_rule(eu_rule(Logic=logic))], PAYLOAD, external, at=at)[0]


def order(operation, *operands):
    return {operation: list(operands)}


def on(amount, unit="day", path="payload.v.0.dt"):
    return {"plusTime": [{"var": path}, amount, unit]}


def today(amount=0, unit="day"):
    return {"plusTime": [CLOCK, amount, unit]}


amounts = st.integers(-420, 420)
units = st.sampled_from(["hour", "day", "day", "day", "month", "year"])
clocks = st.builds(today, amounts, units)
dates = st.one_of(
    st.builds(on, amounts, units, st.sampled_from(["payload.v.0.dt", "payload.v.0.at"])),
    st.sampled_from([on(0, path="payload.none"), on(0, path="payload.v"), {"var": "payload.dob"}]),
    st.just({"dccDateOfBirth": [{"var": "payload.dob"}]}),
    clocks,
)
orders = st.sampled_from(["before", "after", "not-before", "not-after"])
dear = {"reduce": [{"var": "external.list"}, {"+": [{"var": "accumulator"}, 1]}, 0]}
in_a_turn = {"reduce": [{"var": "external.list"}, order("before", today(), on(1)), False]}
others = [True, False, dear, in_a_turn, {"===": [CLOCK, clock(NOW + timedelta(days=30))]}]
comparisons = st.one_of(
    st.builds(order, orders, clocks, dates),
    st.builds(order, orders, dates, clocks),
    st.builds(order, orders, dates, clocks, dates),
    st.builds(order, orders, clocks, dates, clocks),
)
logics = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(order, st.just("and"), inner, inner),
        st.builds(order, st.just("and"), st.sampled_from(others), inner),
        st.builds(order, st.just("!"), inner),
        st.builds(order, st.just("if"), inner, inner, inner | st.sampled_from(others)),
    ),
    max_leaves=5,
).filter(lambda logic: isinstance(logic, dict))
moments = st.sampled_from([NOW, NOW.replace(hour=0), NOW.replace(hour=0, microsecond=1000)])


@pytest.mark.walk
@settings(deadline=None)  # every day is tried beside it
@given(logics, moments)
def test_no_day_that_passes_is_missed_and_none_is_made_up(logic, at):
    told = found(logic, at)
    if told.result == "passed":
        assert told.passes_on is None
    else:
        assert told.passes_on == first_of_all(logic, at, LONGEST_WAIT)


@pytest.mark.walk
@settings(deadline=None)
@given(st.integers(1, 400), st.integers(0, 400))
def test_a_search_ends_with_the_steps_that_trying_every_day_would_take(wait, turns):
    costly = {"reduce": [{"var": "external.list"}, {"+": [{"var": "current"}, 1]}, 0]}
    logic = {"and": [{"if": [costly, True, True]}, order("not-before", today(), on(wait))]}
    told = found(logic, external={"list": [1] * turns})
    first = first_of_all(logic, NOW, LONGEST_WAIT, {"list": [1] * turns})
    assert told.passes_on == (first if told.result == "failed" else None)


@pytest.mark.parametrize("amount", [10**6, -(10**6), 10**6 + 1, 10**9, 10**10, 10**11, 3.0])
@pytest.mark.parametrize("unit", ["day", "hour"])
def test_an_amount_of_any_size_is_reckoned_with(amount, unit):
    for other in (on(10), on(380)):
        late = {"!": [order("not-after", today(amount, unit), other)]}
        logic = {"and": [order("not-before", today(), on(30)), late]}
        told = found(logic)
        assert (told.result, told.passes_on) == ("failed", first_of_all(logic, NOW, LONGEST_WAIT))


def test_what_the_clock_is_compared_with_is_known_beforehand():
    both = {"and": [order("after", today(), on(1)), order("after", on(1), today(2, "hour"), on(9))]}
    assert [ahead for ahead, _ in compile_logic(both).awaits] == [0, 7_200_000, 7_200_000]
    assert compile_logic(order("after", on(1), on(2))).awaits == ()
    for other in (CLOCK, {"var": "external"}, {"var": ""}, today(1, "month"), today(10**6 + 1)):
        assert compile_logic({"and": [both, {"if": [other, True, True]}]}).awaits is None


def test_where_it_is_dear_to_know_what_the_clock_is_compared_with_each_day_is_tried():
    turn = {"reduce": [{"var": "current"}, 1, 1]}
    text = {"if": [{"reduce": [{"var": "external.list"}, turn, 0]}, "2026-06-10", ""]}
    dear = order("not-before", today(), {"plusTime": [text, 14, "day"]})
    logic = {"if": [False, {"and": [dear, dear]}, order("not-before", today(), on(14))]}
    for entries in (1, 300):
        external = {"list": [[1] * 40] * entries}
        assert str(found(logic, external=external).passes_on) == "2026-06-24"


@pytest.mark.parametrize("unit", [{"day": 1}, ["day"], None, 1, "fortnight"])
def test_a_clock_moved_by_no_unit_waits_for_nothing_and_is_no_fault(unit):
    moved = {"plusTime": [{"var": "external.validationClock"}, 1, unit]}
    logic = compile_logic({"after": [moved, {"var": "external.validationClock"}]})
    with pytest.raises(RuleError):
        logic.evaluate({"external": {"validationClock": "2026-03-02T12:00:00Z"}}, [WAIT_FUEL])
