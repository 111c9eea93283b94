"""Make signing keys in a ceremony, bring them through their states, answer the loss of one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import click

from healthcert.cli.opened import service
from healthcert.errors import BadInput, WrongState
from healthcert.jobs.keys import answer, keep
from healthcert.parts import Parts
from healthcert.services import signing_keys
from healthcert.services.ceremony import Ceremony

_MOVES = {
    "publish": ("published", "Tell verifiers of a key: it may sign from two days later on."),
    "activate": ("active", "Sign with a published key from now on; the one before is laid down."),
    "retire": ("retired", "Lay down an active key: its certificates still count."),
}
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON, one object a line.")
_KID = click.argument("kid")


@click.command("ceremony")
@click.option("--input", "path", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--dry-run", is_flag=True, help="Show what would be made, and its hash.")
@click.option("--plan", help="Go on only if the plan has this hash: the one that was reviewed.")
def hold_ceremony(path: Path, plan: str | None, *, dry_run: bool) -> None:
    """Make the authority and the signers that a reviewed file asks for; what is there stays.

    The transcript's hash goes into the audit when the service takes the keys in.

    \b
    Example:
      healthcert keys ceremony --input ceremony.toml --dry-run
    """
    wanted = Ceremony.read(path)
    found = wanted.plan_hash()
    for row in wanted.plan():
        click.echo(json.dumps(row))
    click.echo(json.dumps({"plan": found}))
    if plan not in (None, found):
        raise WrongState(f"this is not the plan {plan}")
    if not dry_run:
        click.echo(json.dumps({"transcript": str(wanted.hold(now=datetime.now(UTC)))}))


@click.command("compromise")
@_KID
@_AS_JSON
def answer_compromise(kid: str, *, as_json: bool) -> None:
    """Stop a lost key, publish a bundle without it, certify everybody anew.

    May be ended at any point and begun again. Without a published stand-by certificates wait.

    \b
    Example:
      healthcert keys compromise 7bdaf6ef1cc0d1a3
    """
    begun, counts = perf_counter(), dict[str, int]()
    with _opened() as parts:
        for step, count in answer(parts, _bytes(kid), datetime.now(UTC)):
            counts[step] = count if step == "bundle" else counts.get(step, 0) + count
            took = round(perf_counter() - begun, 2)
            row = {"step": step, "count": counts[step], "seconds": took}
            click.echo(json.dumps(row) if as_json else f"{took:8.2f} s  {step} {counts[step]}")


def _mover(verb: str) -> click.Command:
    to, about = _MOVES[verb]

    @_KID
    @_AS_JSON
    def run(kid: str, *, as_json: bool) -> None:
        with _opened() as parts:
            key = parts.doors.run(
                lambda db: signing_keys.move(db, kid=_bytes(kid), to=to, now=datetime.now(UTC))
            )
        row = {"kid": kid, "purpose": key.purpose, "state": key.state}
        click.echo(json.dumps(row) if as_json else f"{kid} is {key.state}")

    about += f"\n\n\b\nExample:\n  healthcert keys {verb} 7bdaf6ef1cc0d1a3"
    return click.command(verb, help=about)(run)


COMMANDS = (hold_ceremony, answer_compromise, *map(_mover, _MOVES))


@contextmanager
def _opened() -> Iterator[Parts]:
    """Open the parts, with every key of the folder taken in."""
    with service() as parts:
        keep(parts, datetime.now(UTC))
        yield parts


def _bytes(kid: str) -> bytes:
    try:
        return bytes.fromhex(kid)
    except ValueError:
        raise BadInput({"kid": "not_hexadecimal"}) from None
