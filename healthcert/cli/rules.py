"""Entry rules: evaluate CertLogic or whole rules, exchange rules. JSON lines in and out."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from healthcert.cli.lines import LONGEST_OBJECT, members, raw_lines
from healthcert.cli.opened import settings
from healthcert.errors import RuleError
from healthcert.policy.certlogic import as_json, compile_logic
from healthcert.policy.exchange import Complaint, complaint
from healthcert.policy.rules import read_rule
from healthcert.services import rules as service

_MOST = 16 * 1024 * 1024  # bytes of a file; all published rules together have half a megabyte
_SOME_REFUSED = 1


@click.group()
def rules() -> None:
    """Evaluate and exchange entry rules."""


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


@rules.command("import")
@click.option("--new", is_flag=True, help="As new rules, which must begin in 2 days to 2 weeks.")
@click.argument("file", type=click.File("rb"), default="-")
def take_in(file: BinaryIO, *, new: bool) -> None:
    """Take in rules in EU form, so that the next bundle carries them.

    FILE holds a rule, a list of rules, or a rule a line. Each is answered by one JSON line:
    {"id", "version", "result": "taken in" | "known" | "refused", "reason", "message"}. A rule
    that breaks a constraint of the EU gateway is refused, and only that one. Exit code 1 where
    any was.

    \b
    Example:
      healthcert rules import rules.json
    """
    ours = settings()
    now = datetime.now(UTC) if new else None
    refused = False
    for told in sorted(_rules(file.read(_MOST + 1)), key=_age):
        done = service.take_in(ours.rules_dir, told, country=ours.country, now=now)
        refused = refused or isinstance(done, Complaint)
        click.echo(json.dumps(_taken(told, done), ensure_ascii=False))
    sys.exit(_SOME_REFUSED if refused else 0)


@rules.command("export")
@click.option("--country", help="Only the rules of this country, in two letters.")
@click.option("--new", is_flag=True, help="Leave out what a gateway would not take as new today.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="A folder to fill.")
def give_out(country: str | None, out: Path | None, *, new: bool) -> None:
    """Write the rules we hold in EU form, one a line, or a file each into a folder.

    One that breaks a constraint of the EU gateway is left out and named on standard error; the
    exit code is 1 then.

    \b
    Example:
      healthcert rules export --country XX --out rules/
    """
    ours = settings()
    now = datetime.now(UTC) if new else None
    refused = False
    for told in service.held(ours.rules_dir, ours.country):
        if country and told.get("Country") != country.upper():
            continue
        if wrong := complaint(told, now=now):
            refused = True
            click.echo(f"{told.get('Identifier')}: {wrong.code}: {wrong.message}", err=True)
        elif out:
            click.echo(service.put(out, read_rule(told), told))
        else:
            click.echo(json.dumps(told, ensure_ascii=False))
    sys.exit(_SOME_REFUSED if refused else 0)


def _answer(file: BinaryIO, answer: Callable[[bytes], dict[str, object]]) -> None:
    for line in raw_lines(file, LONGEST_OBJECT + 1):
        if line.strip():
            click.echo(json.dumps(answer(line)))


def _certlogic(line: bytes) -> dict[str, object]:
    try:
        logic, data = members(line, "logic", "data")
        return {"result": as_json(compile_logic(logic).evaluate(data))}
    except RuleError as refusal:
        return {"error": str(refusal)}


def _evaluate(line: bytes) -> dict[str, object]:
    try:
        rule, payload, external = members(line, "rule", "payload", "external")
        logic = rule.get("Logic") if isinstance(rule, dict) else None
        data: object = {"payload": payload, "external": external}
        return {"result": compile_logic(logic).evaluate(data) is True}
    except RuleError:
        return {"result": False}


def _rules(data: bytes) -> list[object]:
    """Return the rules of a file: of one JSON text, or of a JSON text a line."""
    if len(data) > _MOST:
        raise click.UsageError(f"more than {_MOST} bytes")
    whole = _json(data)
    if whole is None:
        return [_json(line) for line in data.splitlines() if line.strip()]
    return whole if isinstance(whole, list) else [whole]


def _json(data: bytes) -> object:
    """Return what a JSON text says; None, which is no rule either, for what is none."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _age(told: object) -> tuple[int, ...]:
    """Sort earlier versions before later ones; what is no rule comes first, to be refused."""
    try:
        return read_rule(told).version
    except RuleError:
        return ()


def _taken(told: object, done: Complaint | str) -> dict[str, object]:
    members = told if isinstance(told, dict) else {}
    found = {"id": members.get("Identifier"), "version": members.get("Version")}
    if isinstance(done, Complaint):
        return {**found, "result": "refused", "reason": done.code, "message": done.message}
    return {**found, "result": done, "reason": None, "message": None}
