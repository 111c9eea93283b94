"""Bring the database to this version, and check that its sums come out."""

from __future__ import annotations

import os

import click

from healthcert.config import Settings
from healthcert.db import Doors, make_engine, migrate, refuse_unready
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
    migrate(Settings.from_env(os.environ).database_url)
    click.echo("The database is ready.")


@db.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Count again what counters, standings and certificates say; exit 1 on a difference.

    \b
    Example:
      healthcert db check
    """
    engine = make_engine(Settings.from_env(os.environ).database_url)
    try:
        refuse_unready(engine)
        with Doors(engine).reading() as session:
            found = {difference.check: difference.rows for difference in differences(session)}
    finally:
        engine.dispose()
    for name in CHECKS:
        click.echo(f"{'differs' if name in found else 'holds':8} {name}: {found.get(name, 0)}")
    if found:
        context.exit(1)
