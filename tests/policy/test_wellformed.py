"""Form of rules' logic, before anybody relies on it."""

import pytest

from healthcert.policy.wellformed import faults

DATE = {"plusTime": ["2021-06-01", 0, "day"]}


@pytest.mark.parametrize(
    "logic",
    [
        "text",
        1,
        1.0,
        False,
        [],
        ["a", 1],
        {"var": ""},
        {"var": "payload.v.0"},
        {"if": [True, 1, 2]},
        {"and": [True, True, True, True]},
        {"!": [[]]},
        {"===": [1, 2]},
        {"in": ["a", ["a"]]},
        {"<": [1, 2, 3]},
        {"before": [DATE, DATE]},
        {"reduce": [[], {"var": "current"}, 0]},
        {"extractFromUVCI": ["x", 0]},
        {"dccDateOfBirth": ["2004"]},
    ],
)
def test_well_formed_logic_has_no_faults(logic):
    assert faults(logic) == []


@pytest.mark.parametrize(
    "logic",
    [
        None,
        1.5,
        {},
        {"a": [1], "b": [2]},
        {"all": [1]},
        {"and": "text"},
        {"var": 1},
        {"var": "a..b"},
        {"var": "a."},
        {"if": [True, 1]},
        {"and": [True]},
        {"!": []},
        {"!": [1, 2]},
        {"===": [1]},
        {"if": [True, 1, 2, 3]},
        {"===": [1, 2, 3]},
        {"in": ["a", ["a"], 1]},
        {"+": [1, 2, 3]},
        {"<": [1]},
        {"<": [1, 2, 3, 4]},
        {"plusTime": ["2021-06-01", 0, "day", 0]},
        {"reduce": [[], 1, 2, 3]},
        {"extractFromUVCI": ["x", 0, 0]},
        {"dccDateOfBirth": ["2004", "2005"]},
        {"plusTime": ["2021-06-01", 0]},
        {"plusTime": ["2021-06-01", "1", "day"]},
        {"plusTime": ["2021-06-01", 1, "week"]},
        {"plusTime": ["2021-06-01", 1, []]},
        {"reduce": [[], 1]},
        {"extractFromUVCI": ["x", "0"]},
        {"dccDateOfBirth": []},
    ],
)
def test_a_fault_names_the_expression(logic):
    assert [fault.expression for fault in faults(logic)] == [logic]


def test_of_a_unit_and_a_number_only_the_first_expression_is_logic():
    assert faults({"plusTime": [{"var": "x"}, 1, "month"]}) == []
    [fault] = faults({"plusTime": [DATE["plusTime"][0], 1.5, "day"]})
    assert fault.message == "The second operand is no integer."
    [fault] = faults({"extractFromUVCI": ["x", {"no": []}]})
    assert fault.message == "The second operand is no integer."


def test_faults_within_are_found_too():
    logic = {"if": [{"no": [1]}, [None], {"plusTime": [None, 1, "day"]}]}
    assert [fault.expression for fault in faults(logic)] == [{"no": [1]}, None, None]


def test_logic_too_deep_or_too_large_is_a_fault():
    deep = 1
    for _ in range(64):
        deep = [deep]
    assert len(faults(deep)) == 1
    assert faults(deep[0]) == []
    assert len(faults([1] * 5_000)) == 1
    assert len(faults([[1] * 5_000] * 3)) <= 3
