"""Bring the database to this version, check that its sums come out, let go of what is over."""

import json
from datetime import UTC, datetime
from functools import partial

import click

from healthcert.cli.opened import database, settings
from healthcert.db import Doors, migrate
from healthcert.services import retention as keeping
from healthcert.services.reconciling import CHECKS, differences


@click.group()
def db() -> None:
    """The database: its tables and its sums."""


@db.command("migrate")
def migrate_tables() -> None:
    """Make or change the tables as this version needs them; whole or not at all.

    \b
    Example:
      healthcert db migrate
    """
    migrate(settings().database_url)
    click.echo("The database is ready.")


@db.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Count again what counters, standings and certificates say; exit 1 on a difference.

    \b
    Example:
      healthcert db check
    """
    with database() as doors, doors.reading() as session:
        found = {difference.check: difference.rows for difference in differences(session)}
    for name in CHECKS:
        click.echo(f"{'differs' if name in found else 'holds':8} {name}: {found.get(name, 0)}")
    if found:
        context.exit(1)


@db.command()
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: rows by kind.")
def retention(*, dry_run: bool, as_json: bool) -> None:
    """Let go of what its time is over for, as data/retention.toml says; print the report.

    The worker does the same once a day. A run that was stopped goes on where it was.

    \b
    Example:
      healthcert db retention --dry-run
    """
    now = datetime.now(UTC)
    with database() as doors:
        if dry_run:
            with doors.reading() as session:
                counts = keeping.due(session, now=now)
        else:
            swept = {kind: _all_of(doors, kind, now) for kind in keeping.kinds()}
            counts = swept | doors.run(lambda session: keeping.report(session, now=now))
    if as_json:
        click.echo(json.dumps(counts))
        return
    for kind, rule in keeping.kinds().items():
        told = f"{kind}: {rule.then} {rule.days} days after {rule.after}"
        click.echo(f"{counts[kind]:8} {told}")


def _all_of(doors: Doors, kind: str, now: datetime) -> int:
    batch = partial(keeping.apply, kind=kind, now=now)
    return sum(iter(lambda: doors.run(batch), 0))
