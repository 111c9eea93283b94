"""What CertLogic means; where the specification is silent, as its reference on Node 20 answers."""

import math
import sys
import time
import tracemalloc
from contextlib import suppress

import pytest

from healthcert.errors import RuleError
from healthcert.policy.certlogic import FUEL, access, as_json, compile_logic
from healthcert.policy.moments import Moment
from healthcert.policy.operations import LONGEST_ID, TURN_COST
from healthcert.policy.paths import reader
from healthcert.policy.values import burn

DAY = {"plusTime": ["2021-06-01", 0, "day"]}
LATER = {"plusTime": ["2021-06-01", 1, "day"]}
NO_DAY = {"plusTime": ["2021-13-01", 0, "day"]}
FAULT = {"no-such-operation": [1]}


def answer(logic, data=None):
    return compile_logic(logic).evaluate(data)


def refused(logic, data=None):
    with pytest.raises(RuleError) as caught:
        answer(logic, data)
    return caught.value.code == "rule_error"


def var(path):
    return {"var": path}


@pytest.mark.parametrize("value", ["", "text", True, False, 0, 17, -3])
def test_a_literal_stands_for_itself(value):
    assert answer(value) is value or answer(value) == value
    assert type(answer(value)) is type(value)


@pytest.mark.parametrize("value", [None, 1.5, float("inf"), 10**400, [None], {}, {"a": 1, "b": 2}])
def test_what_is_no_expression_is_refused(value):
    assert refused(value)


@pytest.mark.parametrize("logic", [FAULT, {"if": []}, {"!": 1}, {"var": 1}, {"var": None}])
def test_what_is_no_operation_is_refused_when_it_is_reached(logic):
    assert refused(logic)
    assert answer({"if": [True, 1, logic]}) == 1
    assert answer({"and": [0, logic]}) == 0


@pytest.mark.parametrize("logic", [{"reduce": [[1], 2]}, {"reduce": [[1]]}, {"reduce": [[]]}])
def test_a_missing_operand_is_refused_when_it_is_reached(logic):
    assert refused(logic)


@pytest.mark.parametrize("falsy", [None, False, "", 0, [], {}])
def test_nothing_is_false(falsy):
    assert answer({"!": [var("")]}, falsy) is True
    assert answer({"if": [var(""), 1, 2]}, falsy) == 2
    assert answer({"and": [var(""), True]}, falsy) == falsy


@pytest.mark.parametrize("truthy", [True, "0", -1, 1.5, [0], {"a": None}])
def test_something_is_true(truthy):
    assert answer({"!": [var("")]}, truthy) is False
    assert answer({"if": [var(""), 1, 2]}, truthy) == 1
    assert answer({"and": [True, var("")]}, truthy) == truthy


@pytest.mark.parametrize(
    "logic", [{"!": [DAY]}, {"if": [DAY, 1, 2]}, {"and": [DAY, True]}, {"and": [True, DAY]}]
)
def test_a_date_time_is_neither_true_nor_false(logic):
    assert refused(logic)


@pytest.mark.parametrize(
    "logic",
    [
        {"and": [True]},
        {"if": [True, 1]},
        {"===": [1]},
        {"===": [1, 1, 1]},
        {"in": [1]},
        {"in": ["a", ["a"], 1]},
        {"+": [1, 2, 3]},
        {"<": [1]},
        {"<": [1, 2, 3, 4]},
        {"before": [DAY]},
        {"plusTime": ["2021-06-01"]},
        {"plusTime": ["2021-06-01", 1]},
        {"plusTime": ["2021-06-01", 1.5, "day"]},
        {"plusTime": ["2021-06-01", 1, "minute"]},
        {"plusTime": ["2021-06-01", 1, ["day"]]},
        {"plusTime": [DAY, 1, "day"]},
        {"plusTime": [1, 1, "day"]},
        {"dccDateOfBirth": [2004]},
        {"extractFromUVCI": ["a"]},
        {"extractFromUVCI": ["a", 1.5]},
        {"extractFromUVCI": [1, 0]},
        {"extractFromUVCI": ["a" * 257, 0]},
        {"reduce": ["text", 1, 1]},
    ],
)
def test_an_operation_with_wrong_operands_is_refused(logic):
    assert refused(logic)


def test_identity_is_of_kind_and_value():
    assert answer({"===": ["a", "a"]})
    assert answer({"===": [var("x"), "a"]}, {"x": "a"})
    assert not answer({"===": [var("x"), "1"]}, {"x": 1})
    assert answer({"===": [var("x"), 1]}, {"x": 1.0})
    assert not answer({"===": [var("x"), 1]}, {"x": True})
    assert not answer({"===": [1, var("x")]}, {"x": True})
    assert not answer({"===": [0, False]})
    assert not answer({"===": [var("x"), var("y")]}, {"x": "a", "y": 1})
    assert answer({"===": [var("x"), var("y")]}, {"x": 1, "y": 1.0})
    assert not answer({"===": [var("x"), var("y")]}, {"x": 1, "y": 1.5})
    assert answer({"===": [var("x"), var("y")]}, {"x": None})


def test_identity_of_arrays_objects_and_date_times_is_being_the_same_one():
    assert answer({"===": [var("x"), var("x")]}, {"x": []})
    assert not answer({"===": [var("x"), var("y")]}, {"x": [], "y": []})
    assert not answer({"===": [[], []]})
    assert not answer({"===": [DAY, DAY]})
    assert not answer({"===": [NO_DAY, NO_DAY]})
    kept = {"===": [var("accumulator"), var("accumulator")]}
    assert answer({"reduce": [[1], kept, DAY]})


def test_large_integers_round_as_doubles():
    assert answer({"===": [2**53, 2**53 + 1]})
    assert answer({"===": [var("x"), var("y")]}, {"x": 2**53, "y": 2**53 + 1})
    assert not answer({"<": [var("x"), var("y")]}, {"x": 2**53, "y": 2**53 + 1})
    assert answer({"+": [2**53, 1]}) == 2**53
    assert answer({"+": [var("x"), -1]}, {"x": 2**53 + 1}) == 2**53 - 1
    assert answer({"+": [1e308, 1e308]}) == math.inf
    assert answer({"+": [-1e308, -1e308]}) == -math.inf
    assert not answer({"===": [var("x"), var("y")]}, {"x": 10**400, "y": 5})


@pytest.mark.parametrize("wrong", [1.5, "1", True, None, [1], 10**400])
def test_only_integers_are_added_and_compared(wrong):
    assert refused({"+": [var(""), 1]}, wrong)
    assert refused({"+": [1, var("")]}, wrong)
    assert refused({"<": [var(""), 1]}, wrong)
    assert refused({">=": [3, 2, var("")]}, wrong)


def test_numbers_are_ordered_two_by_two_or_in_between():
    assert answer({"<": [1, 2]})
    assert not answer({"<": [2, 2]})
    assert answer({"<=": [2, 2.0]})
    assert answer({">": [2, 1]})
    assert answer({">=": [3, 2, 2]})
    assert not answer({"<": [1, 4, 3]})


def test_date_times_are_ordered_two_by_two_or_in_between():
    assert answer({"before": [DAY, LATER]})
    assert answer({"after": [LATER, DAY]})
    assert answer({"not-after": [DAY, DAY, LATER]})
    assert answer({"not-before": [DAY, DAY]})
    assert refused({"before": ["2021-06-01", "2021-06-02"]})
    assert refused({"before": [DAY, 5]})


@pytest.mark.parametrize("order", ["before", "after", "not-before", "not-after"])
def test_what_is_no_time_is_neither_before_nor_after(order):
    assert answer({order: [NO_DAY, DAY]}) is False
    assert answer({order: [DAY, NO_DAY]}) is False


def test_an_item_is_sought_in_an_array_only():
    assert answer({"in": ["a", ["a", "b"]]})
    assert not answer({"in": [1, ["1"]]})
    assert not answer({"in": [var("x"), ["a"]]}, {"x": ["a"]})
    assert answer({"in": ["a", var("x")]}, {"x": ["b", "a"]})
    assert not answer({"in": [1, var("x")]}, {"x": [True, "1", [1]]})
    assert answer({"in": [1, [2, 1]]})
    assert answer({"in": [var("y"), var("x")]}, {"x": [None]})
    assert refused({"in": ["a", "abc"]})
    assert refused({"in": ["a", var("x")]})


def test_a_reduction_sees_only_its_turn():
    total = {"+": [var("accumulator"), var("current.n")]}
    assert answer({"reduce": [var("x"), total, 0]}, {"x": [{"n": 1}, {"n": 2}]}) == 3
    assert answer({"reduce": [var("x"), total, 5]}, {}) == 5
    assert answer({"reduce": [[], FAULT, 5]}) == 5
    assert answer({"reduce": [[1], var("x"), 5]}, {"x": 1}) is None


def test_a_part_of_an_identifier_is_found_by_place():
    whole = "URN:UVCI:01:NL:187/37512422923#B"
    assert [answer({"extractFromUVCI": [whole, place]}) for place in range(-1, 6)] == [
        None,
        "01",
        "NL",
        "187",
        "37512422923",
        "B",
        None,
    ]
    assert answer({"extractFromUVCI": ["urn:uvci:01", 0]}) == "urn"
    assert answer({"extractFromUVCI": [var("x"), 0]}) is None


@pytest.mark.parametrize(
    ("path", "data", "value"),
    [
        ("", 7, 7),
        ("a.b", {"a": {"b": 1}}, 1),
        ("a.b", {"a": [1]}, None),
        ("a.b", {"a": 5}, None),
        ("a.b", [1], None),
        ("v.r.0", {"v": {}}, None),
        ("v.r.0", {"v": {"r": []}}, None),
        ("v.r.0", {"v": {"r": None}}, None),
        ("v.r.0", {"v": {"r": [{"dt": "x"}]}}, {"dt": "x"}),
        ("v.r.0", {"v": {"r": {"0": 3}}}, 3),
        ("v.r.0", {"v": 1}, None),
        ("v.r.0", [1], None),
        ("v.r.0.dt", {"v": {"r": [{"dt": "x"}]}}, "x"),
        ("v.r.0.dt", {"v": {"r": ["x"]}}, None),
        ("1x", [5, 6], 6),
        (" +1", [5, 6], 6),
        ("-0", [5, 6], 5),
        ("-1", [5], None),
        ("-1", {"-1": 7}, 7),
        ("01", {"1": 7}, 7),
        ("99999999999999999999999", {"1e+23": 5}, 5),
        ("9" * 400, {"Infinity": 5}, 5),
        ("\u0660", [5], None),
        ("a..b", {"a": {"": {"b": 1}}}, 1),
        ("length", [5, 6], 2),
        ("length", "a😀", 3),
        ("1", "a😀", "\ud83d"),
        ("0.0", ["abc"], "a"),
        ("7", "abc", None),
        ("7", "é", None),
        ("x", "abc", None),
        ("x", True, None),
        ("constructor", {}, None),
    ],
)
def test_a_path_is_followed_as_javascript_does(path, data, value):
    assert answer(var(path), data) == value
    assert access(data, path) == value
    assert reader(path)(data, []) == value


def test_only_short_texts_beyond_ascii_are_looked_into():
    assert answer(var("length"), "é" * 80) == 80
    assert refused(var("length"), "é" * 81)
    assert answer(var("length"), "e" * 81) == 81


def test_logic_says_what_it_reads():
    logic = compile_logic({"and": [var("payload.v.0"), [var("external.x"), var("payload.v.0")]]})
    assert logic.reads == {"payload.v.0", "external.x"}


def test_a_result_is_written_as_json():
    assert as_json([Moment(0), {"a": Moment(math.nan)}, math.inf, 1.5, True, None]) == [
        "1970-01-01T00:00:00.000Z",
        {"a": None},
        None,
        1.5,
        True,
        None,
    ]


def nested(depth, value=1):
    for _ in range(depth):
        value = [value]
    return value


def test_a_result_too_deep_or_too_large_is_refused():
    for value in (nested(201), [0] * 50_001):
        with pytest.raises(RuleError):
            as_json(value)
    doubled = {"reduce": [[0] * 60, [var("accumulator"), var("accumulator")], 1]}
    with pytest.raises(RuleError):
        as_json(answer(doubled))


def test_a_result_as_deep_and_as_large_as_allowed_is_written():
    objects = 0
    for _ in range(199):
        objects = {"a": objects}
    for deepest in (nested(199), objects):
        assert as_json(deepest) == deepest
        with pytest.raises(RuleError):
            as_json([deepest])
        with pytest.raises(RuleError):
            as_json({"a": deepest})
    assert as_json([0] * 49_999) == [0] * 49_999
    with pytest.raises(RuleError):
        as_json([0] * 50_000)


def test_each_expression_is_a_step_and_each_dot_of_a_path_two():
    assert compile_logic("a").cost == 1
    assert compile_logic(var("a.b.c")).cost == 1 + 2 * 2
    assert compile_logic(["a", var("x")]).cost == 3


def test_operations_nest_as_deep_as_lists():
    deep = True
    for _ in range(63):
        deep = {"!": [deep]}
    assert answer(deep) is False
    with pytest.raises(RuleError):
        compile_logic({"!": [deep]})


def test_a_path_may_have_512_letters():
    assert answer(var("a" * 512), {"a" * 512: 7}) == 7


def test_half_a_pair_of_utf_16_is_a_letter_of_its_own():
    assert access("\ud800é", "0") == "\ud800"
    assert access("é\U0001f4a3", "length") == 3


def burnt(logic, data):
    """The steps of an evaluation beyond those of its own nodes."""
    left = [1 << 30]
    compiled = compile_logic(logic)
    compiled.evaluate(data, left)
    return (1 << 30) - left[0] - compiled.cost


def test_what_multiplies_work_burns_fuel_for_it():
    data = {"x": ["a", "b", "c"], "y": [1, 2, 3], "z": "z"}
    turn = {"if": [True, var("current"), 0]}
    assert burnt({"reduce": [var("x"), turn, 0]}, data) == 3 * (4 + 4)
    assert burnt({"in": [var("z"), var("x")]}, data) == 3
    assert burnt({"in": [True, var("y")]}, data) == 3 * 8


def test_an_evaluation_burns_fifty_thousand_steps_and_no_more():
    sought = {"in": [var("z"), var("x")]}
    assert answer(sought, {"z": "z", "x": ["a"] * 50_000}) is False
    assert refused(sought, {"z": "z", "x": ["a"] * 50_001})


def test_sums_round_as_doubles_do():
    largest = 2**53 - 1
    assert answer({"+": [largest, largest - 1]}) == int(float(2 * largest - 1)) != 2 * largest - 1
    assert answer({"+": [-largest, 1 - largest]}) == -answer({"+": [largest, largest - 1]})


@pytest.mark.parametrize("order", ["<", ">", "<=", ">="])
@pytest.mark.parametrize("other", ["1", True, None, [1]])
def test_a_number_is_compared_with_nothing_else(order, other):
    for pair in ([1, var("x")], [var("x"), 1], [1, 1, var("x")]):
        assert refused({order: pair}, {"x": other})


def test_two_times_do_not_speak_for_a_third_operand():
    for order in ("before", "after", "not-before", "not-after"):
        assert refused({order: [DAY, LATER, "x"]})
        assert refused({order: ["x", DAY, LATER]})


def test_an_identifier_of_256_letters_is_split_and_no_longer_one():
    logic = {"extractFromUVCI": [var("x"), 0]}
    assert answer(logic, {"x": "A" * 256}) == "A" * 256
    assert refused(logic, {"x": "A" * 257})


@pytest.mark.parametrize("fuel", [0, 1])
def test_the_last_step_of_the_fuel_may_be_taken(fuel):
    left = [5 + fuel]
    burn(left, 5)
    assert left == [fuel]
    with pytest.raises(RuleError):
        burn(left, fuel + 1)


@pytest.mark.parametrize(
    ("logic", "cost"),
    [
        ({"plusTime": ["2026-01-01", 1, "day"]}, 1 + 8),
        ({"dccDateOfBirth": ["2026-01-01"]}, 1 + 8),
        ({"extractFromUVCI": ["URN:UVCI:01:X", 1]}, 1 + 24),
        ({"and": [True, True]}, 1),
    ],
)
def test_what_reads_dates_and_identifiers_costs_more(logic, cost):
    assert compile_logic([logic]).cost - compile_logic([*operands_of(logic)]).cost == cost


def operands_of(logic):
    [operands] = logic.values()
    return operands


@pytest.mark.parametrize(
    "logic", [nested(64), [1] * 4_096, var("a" * 513), {"and": [var("a." * 250)] * 20}]
)
def test_logic_too_deep_or_too_large_is_refused_at_once(logic):
    with pytest.raises(RuleError):
        compile_logic(logic)


def test_logic_as_deep_as_allowed_is_answered():
    assert as_json(answer(nested(63))) == nested(63)


def turns(turn, *items, more=0):
    """Return a reduction by that turn over as many items as the fuel allows, and its data.

    A turn burns `more` steps than its logic shows.
    """
    count = (FUEL - 100) // (compile_logic(turn).cost + TURN_COST + more)
    every = [items[place % len(items)] for place in range(count)]
    return {"reduce": [var("x"), turn, var("y")]}, {"x": every, "y": 0}


ACCUMULATOR, CURRENT = var("accumulator"), var("current")
TIMES = [f"2021-01-01T10:00:{second:02}.{part}+02" for second in range(60) for part in range(99)]
HOSTILE = {
    "reductions": turns({"reduce": [CURRENT, {"+": [1, 1]}, 0]}, [1] * 50, more=7 * 50),
    "dates": turns({"plusTime": [CURRENT, 1, "month"]}, *TIMES),
    "dates of birth": turns({"if": [[{"dccDateOfBirth": [CURRENT]}] * 20, 1, 2]}, "0000-02"),
    "keeping every turn": turns(var(""), 0),
    "keeping lists": turns([ACCUMULATOR] * 30, 0),
    "keeping short lists": turns([], 0),
    "many steps": turns({"if": [[{"!": [CURRENT]}] * 50, 1, 2]}, 0),
    "seeking texts": turns({"in": ["a", CURRENT]}, ["b"] * 3_000, more=3_000),
    "seeking numbers": turns({"in": [-1, CURRENT]}, [1, 2**60], more=16),
    "seeking far": ({"in": [-1, var("x")]}, {"x": [2**60] * 6_000}),
    "growing numbers": turns({"+": [ACCUMULATOR, 10**300]}, 0),
    "comparing large numbers": turns({"===": [CURRENT, 2**70]}, 2**71),
    "identifiers": turns({"extractFromUVCI": [CURRENT, 9]}, "/" * LONGEST_ID),
    "long dates": turns({"plusTime": [CURRENT, 1, "day"]}, "0" * 100_000),
    "texts looked into": turns(var("current.length"), "é" * 80),
    "long texts looked into": turns(var("current.length"), "a" * 100_000),
    "long texts compared": turns({"===": [CURRENT, "a" * 100_000]}, "a" * 99_999 + "b"),
    "long paths": turns(var("current" + ".0" * 250), "0"),
    "as large as allowed": ([DAY] * 400, None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_logic_costs_little(name):
    logic, data = HOSTILE[name]
    slowed = 10 if sys.gettrace() else 1  # by whoever counts the lines
    assert min(cost(logic, data) for _ in range(3)) <= 0.05 * slowed
    tracemalloc.start()
    attempt(logic, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 8 * 2**20


def attempt(logic, data):
    with suppress(RuleError):
        as_json(answer(logic, data))


def cost(logic, data):
    begin = time.process_time()
    attempt(logic, data)
    return time.process_time() - begin


def test_steps_are_shared_by_those_who_share_the_fuel():
    logic = compile_logic({"reduce": [var(""), {"+": [var("accumulator"), 1]}, 0]})
    fuel = [1_000]
    assert logic.evaluate([1] * 50, fuel) == 50
    with pytest.raises(RuleError):
        logic.evaluate([1] * 100, fuel)
