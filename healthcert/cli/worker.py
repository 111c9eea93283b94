"""Run the night shift: the audit, certificates, messages, the bundle, sweeping, retention."""

import signal
from datetime import UTC, datetime
from threading import Event

import click

from healthcert import logs
from healthcert.cli.opened import service, settings
from healthcert.jobs import loop, run_once


@click.command()
@click.option("--once", is_flag=True, help="One round, then end.")
def worker(*, once: bool) -> None:
    """Seal, sign, send, publish and sweep until told to end.

    \b
    Example:
      healthcert worker --once
    """
    logs.start(settings().log_level)
    with service() as parts:
        parts.refuse_wrong_keys()
        if once:
            for job, count in run_once(parts, datetime.now(UTC)).items():
                click.echo(f"{job} {count}")
        else:
            loop(parts, _told_to_end())


def _told_to_end() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
