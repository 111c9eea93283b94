"""Take many certificates back: one officer asks, another approves, a third carries out."""

import json
from datetime import datetime
from functools import partial
from uuid import UUID

import click

from healthcert.cli.tables import opened_for
from healthcert.jobs.certificates import take_back_all
from healthcert.services import holds, mass_revoking, requests


@click.group()
def certificates() -> None:
    """Certificates: withdrawn by who wrote the facts down, by site, lot or time."""


@certificates.command()
@click.option("--staff", type=UUID, help="Who wrote the doses and tests down, or gave them.")
@click.option("--site", type=UUID, help="Where.")
@click.option("--lot", type=UUID, help="From which lot.")
@click.option("--since", type=datetime.fromisoformat, help="Written down from then on.")
@click.option("--until", type=datetime.fromisoformat, help="Written down before then.")
@click.option("--reason", required=True, help="One of the country's for a revocation.")
@click.option("--by", required=True, type=UUID, help="The officer who asks.")
def ask(
    *, by: UUID, reason: str, since: datetime | None, until: datetime | None, **named: UUID | None
) -> None:
    """Ask that all certificates be withdrawn that fit every option; print the reference.

    \b
    Example:
      healthcert certificates ask --staff ID --since 2026-03-01T08:00Z --reason fraud --by ID
    """
    subject = {name: value for name, value in named.items() if value}
    with opened_for(by) as (parts, setting), parts.doors.transaction() as db:
        told = setting(db)
        request = mass_revoking.ask(
            db, vault=told.vault, country=told.country, subject=subject, reason=reason,
            since=since, until=until, staff=told.by, now=told.now,
        )  # fmt: skip
        click.echo(request.reference)


@certificates.command()
@click.argument("reference")
@click.option("--approve", "act", flag_value="approve", help="Approve it.")
@click.option("--carry-out", "act", flag_value="carry_out", help="Decide it, and do it.")
@click.option("--by", type=UUID, help="The officer who approves or decides.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def revoke(*, reference: str, act: str | None, by: UUID | None, as_json: bool) -> None:
    """Show what a request withdraws, approve it, or carry it out; the worker goes on with it.

    \b
    Example:
      healthcert certificates revoke HC-7K4M-2QXX --carry-out --by ID
    """
    with opened_for(by) as (parts, setting):
        look = partial(mass_revoking.preview, vault=parts.vault, reference=reference)
        with parts.doors.transaction() as db:
            left, told = look(db), setting(db)  # what is no withdrawal is refused here
            if act:
                wanted = requests.found(db, reference=reference).id
                requests.act(db, request_id=wanted, act=act, reason="", staff=told.by, now=told.now)
        done = take_back_all(parts, reference, told.now) if act else 0
        if act:
            left = parts.doors.run(look)
    row = left._asdict() | {"done": done}
    lines = (f"{name}: {value}" for name, value in row.items())
    click.echo(json.dumps(row) if as_json else "\n".join(lines))


@certificates.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def held(*, as_json: bool) -> None:
    """List what waits for a release: reason, of what, how many, since, whose.

    \b
    Example:
      healthcert certificates held --json
    """
    with opened_for(None) as (parts, _setting), parts.doors.reading() as db:
        for one in holds.waiting(db):
            line = f"{one.why:9} {one.of} {one.facts:6} {one.since:%Y-%m-%d} {one.name}"
            click.echo(json.dumps(one._asdict(), default=str) if as_json else line)
