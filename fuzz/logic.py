"""Rules that nobody would write, over data that nobody would send, through CertLogic."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from fuzz.codes import DATA
from fuzz.mutations import spoil_tree
from healthcert.errors import RuleError
from healthcert.policy.certlogic import as_json, compile_logic
from healthcert.policy.operations import OPERATIONS
from healthcert.policy.wellformed import faults

_NAMES = [*OPERATIONS, "var", "no-such-operation"]
_PATHS = [
    "",
    "payload.v.0.dt",
    "external.validationClock",
    "accumulator",
    "current",
    "0",
    "a.length",
]
_LEAVES = [None, True, False, 0, 1, -1, 2**53 + 1, 10**400, 0.5, 1e308, float("nan"), float("inf")]
_TEXTS = [
    "",
    "0",
    "day",
    "2026-02-30",
    "2026-02-01T10:00:00Z",
    "0000",
    "9999-12-31",
    "URN:UVCI:01:X#1",
]
_OWN_RULE = {"if": [{"var": "payload.v.0"}, {">=": [{"var": "payload.v.0.dn"}, 2]}, True]}
_OWN_DATA = {
    "payload": {"v": [{"dn": 2, "dt": "2026-02-01", "ci": "URN:UVCI:01:XX:HC/7Q2KX9#A"}]},
    "external": {"validationClock": "2026-03-02T12:00:00Z", "valueSets": {"a": ["b"]}},
}


@dataclass(frozen=True, slots=True)
class Case:
    """Logic, and the data it is asked about."""

    logic: Any
    data: Any


def make(chance: Random) -> Case:
    """Return harmed rules and harmed data, or made-up ones."""
    if chance.random() < 0.3:
        return _json(_any(chance, 6), _any(chance, 4))
    logic, data = chance.choice(_published()), _OWN_DATA
    for _ in range(chance.randint(1, 4)):
        logic = spoil_tree(logic, chance, lambda chance: _any(chance, 4))
    if chance.random() < 0.5:
        data = spoil_tree(data, chance, lambda chance: _any(chance, 2))
    return _json(logic, data)


def attempt(case: Case) -> str:
    """Return how it ended: an answer that JSON can hold, or the refusal."""
    faults(case.logic)
    try:
        json.dumps(as_json(compile_logic(case.logic).evaluate(case.data)))
    except RuleError as refusal:
        return refusal.code
    return "answered"


def _json(logic: Any, data: Any) -> Case:
    """Return a case as JSON has it: a name is always a text."""
    return Case(*json.loads(json.dumps([logic, data])))


def _any(chance: Random, depth: int) -> Any:
    """Return any JSON at all, mostly in the shape of logic."""
    kind = chance.randrange(8) if depth else chance.randrange(3)
    match kind:
        case 0:
            return chance.choice(_LEAVES)
        case 1:
            return chance.choice(_TEXTS)
        case 2:
            return {"var": chance.choice(_PATHS)}
        case 3:
            return [_any(chance, depth - 1) for _ in range(chance.choice([0, 1, 3, 30]))]
        case 4:
            return {chance.choice(_PATHS): _any(chance, depth - 1), "b": _any(chance, 0)}
        case _:
            operands = [_any(chance, depth - 1) for _ in range(chance.randrange(5))]
            return {chance.choice(_NAMES): operands}


@cache
def _published() -> list[Any]:
    """Return a rule of our own, and those of the public test data where they are."""
    path = DATA / "rules.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [_OWN_RULE, *(json.loads(line)["rule"]["Logic"] for line in lines)]
