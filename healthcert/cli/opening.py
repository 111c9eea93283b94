"""`healthcert opening`: a day on which many want to book at one moment."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime, timedelta

import click

from healthcert.config import Settings
from healthcert.data.knowledge import sources
from healthcert.errors import BadInput
from healthcert.gateways import room_files
from healthcert.gateways.room_files import LINE, Opening
from healthcert.policy.tickets import commitment
from healthcert.services.keys import read_secret, room_key, room_seed


@click.group()
def opening() -> None:
    """Opening days: the waiting room and what is announced of it."""


@opening.command()
@click.argument("code")
@click.option("--programme", required=True, help="Code of the programme that opens.")
@click.option("--at", required=True, help="When, with its offset from UTC.")
@click.option("--room", default=60, show_default=True, help="Minutes before, that the room opens.")
@click.option("--hours", default=12, show_default=True, help="How long booking goes through it.")
def announce(code: str, programme: str, at: str, room: int, hours: int) -> None:
    r"""Announce an opening day; print what is to be published of its seed.

    \b
    Example:
      healthcert opening announce spring --programme covid19 --at 2027-03-01T09:00+02:00
    """
    settings = Settings.from_env(os.environ)
    named = {one.name: one.content["names"] for one in sources("programme")}
    opens_at = _moment(at)
    if programme not in named:
        raise BadInput({"programme": "not_a_choice"})
    told = Opening(
        code=code, programme=programme, names=named[programme], opens_at=opens_at,
        room_at=opens_at - timedelta(minutes=room), ends_at=opens_at + timedelta(hours=hours),
        commitment=commitment(room_seed(room_key(read_secret(settings.secret_file), code))),
    )  # fmt: skip
    room_files.announce(settings.room_dir, told)
    click.echo(f"{code} opens {opens_at.isoformat()}; SHA-256 of its seed: {told.commitment}")


@opening.command()
def show() -> None:
    r"""Say which opening is announced and how far it is, as JSON.

    \b
    Example:
      healthcert opening show
    """
    folder = Settings.from_env(os.environ).room_dir
    told = room_files.announced(folder)
    line = room_files.held(folder / LINE)
    click.echo(json.dumps({"opening": told and asdict(told), "line": line}, default=str))


@opening.command()
def end() -> None:
    r"""End the opening day: booking is open to everybody, and tickets are worth nothing.

    \b
    Example:
      healthcert opening end
    """
    room_files.end(Settings.from_env(os.environ).room_dir)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput({"at": "not_a_time"}) from None
    if moment.tzinfo is None:
        raise BadInput({"at": "not_a_time"})
    return moment
