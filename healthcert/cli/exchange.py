"""Take entry rules in and give them out, in the form in which countries exchange them."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from healthcert.cli.opened import settings
from healthcert.errors import RuleError
from healthcert.policy.exchange import Complaint, complaint
from healthcert.policy.rules import read_rule
from healthcert.services import rules

_MOST = 16 * 1024 * 1024  # bytes of a file; all published rules together have half a megabyte
_SOME_REFUSED = 1


@click.command(name="import")
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
        done = rules.take_in(ours.rules_dir, told, country=ours.country, now=now)
        refused = refused or isinstance(done, Complaint)
        click.echo(json.dumps(_answer(told, done), ensure_ascii=False))
    sys.exit(_SOME_REFUSED if refused else 0)


@click.command(name="export")
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
    for told in rules.held(ours.rules_dir, ours.country):
        if country and told.get("Country") != country.upper():
            continue
        if wrong := complaint(told, now=now):
            refused = True
            click.echo(f"{told.get('Identifier')}: {wrong.code}: {wrong.message}", err=True)
        elif out:
            click.echo(rules.put(out, read_rule(told), told))
        else:
            click.echo(json.dumps(told, ensure_ascii=False))
    sys.exit(_SOME_REFUSED if refused else 0)


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


def _answer(told: object, done: Complaint | str) -> dict[str, object]:
    members = told if isinstance(told, dict) else {}
    found = {"id": members.get("Identifier"), "version": members.get("Version")}
    if isinstance(done, Complaint):
        return {**found, "result": "refused", "reason": done.code, "message": done.message}
    return {**found, "result": done, "reason": None, "message": None}
