"""Prepare the demonstration: keys, tables, a fictitious country at work."""

import os
from contextlib import closing
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from healthcert.config import Settings
from healthcert.db import migrate
from healthcert.errors import BadSettings
from healthcert.jobs import run_once
from healthcert.jobs.publishing import publish_now
from healthcert.parts import open_parts
from healthcert.services import demo as demonstration
from healthcert.services.development_keys import make_development_keys

SEED = 1


@click.group()
def demo() -> None:
    """The demonstration: a fictitious country at work."""


@demo.command("prepare")
def prepare_demo() -> None:
    """Make keys, tables and people, or bring those there are to today.

    \b
    Example:
      HEALTHCERT_DATA_DIR=var healthcert demo prepare
    """
    for line in prepare(Settings.from_env(os.environ), now=datetime.now(UTC)):
        click.echo(line)


def prepare(settings: Settings, *, now: datetime) -> list[str]:
    """Bring the demonstration to today; return lines that say whom one may be in it.

    Raises:
        BadSettings: This is no development machine.
        NotReady: The database cannot be used.
    """
    if not settings.development:
        raise BadSettings("the demonstration is for HEALTHCERT_ENV=development only")
    make_development_keys(settings.keys_dir, country=settings.country, now=now)
    migrate(settings.database_url)
    with closing(open_parts(settings)) as parts:
        today = now.astimezone(ZoneInfo(parts.country.time_zone)).date()
        with parts.doors.transaction() as db:
            demonstration.populate(
                db, vault=parts.vault, country=parts.country, seed=SEED, today=today, now=now
            )
        run_once(parts, now)
        publish_now(parts, now)
        with parts.doors.reading() as db:
            shown = demonstration.shown(db, vault=parts.vault)
    return _lines(shown)


def _lines(shown: demonstration.Shown) -> list[str]:
    staff = ", ".join(f"{name} ({role})" for role, name in shown.staff)
    return [
        f"Citizen with a certificate: reference {shown.reference}, born {shown.birth_date}",
        f"Staff: {staff}",
    ]
