"""How long a rule test takes us, and certlogic-js, in one run: `python -m bench.certlogic`.

Wanted: at most 1.0 times certlogic-js, and every answer equal. Needs the public test data
(`HEALTHCERT_CONFORMANCE`, else beside the checkout), node, and the peer: it is installed below
`.venv/peers`, or lies in the folder that `CERTLOGIC_JS` names. The two take turns of a few passes
over all tests, each turn compared with the other's beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter_ns

from bench._turns import microseconds, ratio, row
from healthcert.errors import RuleError
from healthcert.policy.certlogic import Logic, compile_logic
from tools import peers

_HERE = Path(__file__).resolve().parent
_DATA = Path(
    os.environ.get("HEALTHCERT_CONFORMANCE") or _HERE.parent.parent / "shared" / "conformance"
)
_WARM_UP, _ROUNDS, _PASSES = 10, 40, 5

Case = tuple[Logic, object]


def main() -> int:
    """Print a table row; exit code 1 if an answer differs or the limit is missed."""
    if not (_DATA / "rule_tests.jsonl").is_file():
        print("certlogic: SKIPPED, the public test data is not there")
        return 0
    try:
        peers.make()
    except peers.NoPeerError as error:
        print(f"certlogic: SKIPPED, {error}")
        return 0
    cases, expected, compiled = _cases()
    with _peer(str(peers.NODE_MODULES.parent)) as peer:
        ours, theirs = [], []
        for _ in range(_WARM_UP + _ROUNDS):
            ours.append(_pass(cases))
            theirs.append(_ask(peer))
    wrong = sum(
        ours[0][1][index] != want or theirs[0][1][index] != want
        for index, want in enumerate(expected)
    )
    mine, others = ([time for time, _ in runs[_WARM_UP:]] for runs in (ours, theirs))
    found = ratio(mine, others)
    print(f"certlogic: {wrong} answers differ; compiling all rules once: {compiled:.1f} ms")
    path = f"CertLogic, {len(cases)} rule tests"
    figures = (microseconds(mine), "certlogic-js", microseconds(others))
    row(path, *figures, found, "at most 1.00, all answers equal")
    return int(wrong > 0 or found > 1)


def _cases() -> tuple[list[Case], list[bool], float]:
    sets = json.loads((_DATA / "rule_value_sets.json").read_text())
    rules = {line["dir"]: line["rule"]["Logic"] for line in _lines("rules.jsonl")}
    begin = perf_counter_ns()
    logics = {name: compile_logic(logic) for name, logic in rules.items()}
    compiled = (perf_counter_ns() - begin) / 1e6
    cases: list[Case] = []
    expected = []
    for line in _lines("rule_tests.jsonl"):
        external = _expanded(line["external"], sets)
        cases.append((logics[line["rule"]], {"payload": line.get("payload"), "external": external}))
        expected.append(line["expected"])
    return cases, expected, compiled


def _lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (_DATA / name).read_text().splitlines()]


def _expanded(value: object, sets: dict[str, list[str]]) -> object:
    if isinstance(value, str) and value.startswith("$"):
        return sets[value[1:]]
    if isinstance(value, dict):
        return {name: _expanded(inner, sets) for name, inner in value.items()}
    return value


def _pass(cases: list[Case]) -> tuple[float, list[bool]]:
    answers: list[bool] = []
    begin = perf_counter_ns()
    for _ in range(_PASSES):
        answers = [_answer(logic, data) for logic, data in cases]
    return (perf_counter_ns() - begin) / 1000 / len(cases) / _PASSES, answers


def _answer(logic: Logic, data: object) -> bool:
    try:
        return logic.evaluate(data) is True
    except RuleError:
        return False


def _peer(folder: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["node", str(_HERE / "certlogic.cjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CONFORMANCE": str(_DATA), "CERTLOGIC_JS": folder},
    )


def _ask(peer: subprocess.Popen[str]) -> tuple[float, list[bool]]:
    print(_PASSES, file=peer.stdin, flush=True)
    answer = json.loads(peer.stdout.readline())
    return answer["microseconds"], answer["answers"]


if __name__ == "__main__":
    sys.exit(main())
