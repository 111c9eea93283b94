"""CertLogic and the member states' rules, by the public test data."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from healthcert.errors import RuleError
from healthcert.policy.certlogic import as_json, compile_logic
from healthcert.policy.exchange import complaint
from healthcert.policy.rules import read_rule
from healthcert.policy.wellformed import faults
from tests.policy.test_rules import WRONG, eu_rule

pytestmark = pytest.mark.conformance
_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "conformance"


@pytest.fixture(scope="module")
def data():
    """Return what reads the lines of a file of the public test data."""
    folder = Path(os.environ.get("HEALTHCERT_CONFORMANCE") or _BESIDE)
    if not (folder / "rule_tests.jsonl").is_file():
        pytest.skip(f"no public test data in {folder}; HEALTHCERT_CONFORMANCE names another place")

    def lines(name, *, whole=False):
        text = (folder / name).read_text("utf-8")
        return json.loads(text) if whole else [json.loads(line) for line in text.splitlines()]

    return lines


def answer(logic, data):
    try:
        return as_json(compile_logic(logic).evaluate(data))
    except RuleError as refusal:
        return refusal


def same(found, wanted):
    """Whether two JSON values are the same, true and 1 kept apart."""
    return json.dumps(found, default=str, sort_keys=True) == json.dumps(wanted, sort_keys=True)


def test_every_live_assertion_of_the_specification_holds(data, say):
    cases = data("certlogic_suite.jsonl")
    live = [case for case in cases if not case["skip"]]
    wrong = [
        case for case in live if not same(answer(case["logic"], case["data"]), case["expected"])
    ]
    say(
        f"CertLogic suite: {len(live) - len(wrong)} of {len(live)} hold, "
        f"{len(cases) - len(live)} are skipped there"
    )
    assert (len(live), wrong) == (218, [])


def test_every_case_of_the_validation_suite_is_judged_alike(data, say):
    cases = data("certlogic_validation.jsonl")
    wrong = [
        case
        for case in cases
        if not same(
            [fault.expression for fault in faults(case["logic"])],
            [issue["expr"] for issue in case["issues"]],
        )
    ]
    say(f"CertLogic validation: {len(cases) - len(wrong)} of {len(cases)} hold")
    assert (len(cases), wrong) == (23, [])


def test_every_rule_of_a_member_state_is_read_and_answers_as_its_tests_say(data, say):
    sets = data("rule_value_sets.json")[0]
    rules = {line["dir"]: read_rule(line["rule"]) for line in data("rules.jsonl")}
    tests = data("rule_tests.jsonl")
    wrong = []
    for test in tests:
        known = {"external": expanded(test["external"], sets)}
        if "payload" in test:
            known["payload"] = test["payload"]
        if rules[test["rule"]].logic.evaluate(known) is not test["expected"]:
            wrong.append(test)
    passing = sum(test["expected"] for test in tests)
    say(
        f"Rules: {len(rules)} read, {len(tests) - len(wrong)} of {len(tests)} tests hold "
        f"({passing} true, {len(tests) - passing} false)"
    )
    assert wrong == []
    assert len(tests) > 700


def test_a_rule_is_refused_where_the_eu_schema_refuses_it(data):
    schema = data("schema/validation-rule.json", whole=True)
    validator = Draft202012Validator(schema)
    assert validator.is_valid(eu_rule(Region="NORTH"))
    for member, value, words in WRONG:
        stricter = words in {"ValidTo is no time", "before ValidFrom"} or value == {"no": [1]}
        stricter = stricter or len(str(value)) > 1_000
        assert validator.is_valid(eu_rule(**{member: value})) is stricter, (member, value)


def expanded(value, sets):
    if isinstance(value, str) and value.startswith("$"):
        return sets[value[1:]]
    if isinstance(value, dict):
        return {name: expanded(inner, sets) for name, inner in value.items()}
    return value


def test_every_published_rule_may_be_exchanged(data):
    refused = [line["dir"] for line in data("rules.jsonl") if complaint(line["rule"])]
    assert refused == []
