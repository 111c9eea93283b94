"""Entry rules: evaluate CertLogic or whole rules, exchange rules. JSON lines in and out."""

import json
from collections.abc import Callable
from typing import BinaryIO, NoReturn

import click

from healthcert.cli.exchange import give_out, take_in
from healthcert.cli.lines import raw_lines
from healthcert.errors import RuleError
from healthcert.policy.certlogic import as_json, compile_logic
from healthcert.policy.values import whole_number

_LONGEST_LINE = 2**17  # bytes; the published rule tests have at most 7 KB


@click.group()
def rules() -> None:
    """Evaluate and exchange entry rules."""


rules.add_command(take_in)
rules.add_command(give_out)


@rules.command()
@click.argument("file", type=click.File("rb"), default="-")
def certlogic(file: BinaryIO) -> None:
    """Evaluate CertLogic: {"logic", "data"} lines in, {"result"} or {"error"} lines out.

    \b
    Example:
      echo '{"logic": {"+": [1, {"var": "x"}]}, "data": {"x": 2}}' | healthcert rules certlogic
    """
    _answer(file, _certlogic)


@rules.command()
@click.argument("file", type=click.File("rb"), default="-")
def evaluate(file: BinaryIO) -> None:
    """Evaluate rules in EU form: {"rule", "payload"?, "external"} in, {"result": bool} out.

    Whatever goes wrong gives false: a rule that cannot be answered is not passed.

    \b
    Example:
      healthcert rules evaluate tests.jsonl
    """
    _answer(file, _evaluate)


def _answer(file: BinaryIO, answer: Callable[[bytes], dict[str, object]]) -> None:
    for line in raw_lines(file, _LONGEST_LINE + 1):
        if line.strip():
            click.echo(json.dumps(answer(line)))


def _certlogic(line: bytes) -> dict[str, object]:
    try:
        logic, data = _members(line, "logic", "data")
        return {"result": as_json(compile_logic(logic).evaluate(data))}
    except RuleError as refusal:
        return {"error": str(refusal)}


def _evaluate(line: bytes) -> dict[str, object]:
    try:
        rule, payload, external = _members(line, "rule", "payload", "external")
        logic = rule.get("Logic") if isinstance(rule, dict) else None
        data: object = {"payload": payload, "external": external}
        return {"result": compile_logic(logic).evaluate(data) is True}
    except RuleError:
        return {"result": False}


def _members(line: bytes, *names: str) -> list[object]:
    """Those members of the object in the line; null where one is missing."""
    if len(line) > _LONGEST_LINE:
        raise RuleError(f"The line is longer than {_LONGEST_LINE} bytes.")
    try:
        given = json.loads(line.decode("utf-8-sig"), parse_int=_integer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise RuleError("The line is not JSON.") from None
    if not isinstance(given, dict):
        raise RuleError("The line is no JSON object.")
    return [given.get(name) for name in names]


def _integer(text: str) -> int | float:
    """An integer as JavaScript reads it: as a double."""
    number = float(text)
    whole = whole_number(number)
    return number if whole is None else whole


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
