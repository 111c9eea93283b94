"""Start the service: the web processes, the worker, or everything for the demonstration."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import click
from granian import Granian
from granian.constants import Interfaces
from sqlalchemy.exc import DatabaseError

from healthcert import logs
from healthcert.cli.demo import prepare
from healthcert.cli.opened import service, settings
from healthcert.config import Settings
from healthcert.errors import NotReady
from healthcert.jobs import loop, run_once
from healthcert.parts import open_parts

_ROOT = Path(__file__).resolve().parent.parent.parent


@click.command()
@click.option("--workers", default=2, show_default=True, help="Web processes.")
def serve(workers: int) -> None:
    """Serve the web pages and interfaces.

    \b
    Example:
      HEALTHCERT_ENV=production healthcert serve --workers 4
    """
    _serve(settings(), workers)


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


@click.command("run")
def run_demo() -> None:
    """Prepare the demonstration and start web and worker.

    \b
    Example:
      HEALTHCERT_PORT=8080 healthcert demo run
    """
    ours = settings()
    _refuse_taken_port(ours)
    people = prepare(ours, now=datetime.now(UTC))
    click.echo(_welcome(ours.base_url, people))
    process = subprocess.Popen([sys.executable, "-m", "healthcert", "worker"])
    try:
        _serve(ours, workers=2)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _serve(ours: Settings, workers: int) -> None:
    _refuse_taken_port(ours)
    _refuse_wrong_core(ours, workers)
    _refuse_wrong_keys(ours)
    Granian(
        "wsgi:app", address=ours.host, port=ours.port, interface=Interfaces.WSGI,
        workers=workers, working_dir=_ROOT, log_access=False, log_level="warning",
    ).serve()  # fmt: skip


def _refuse_wrong_keys(ours: Settings) -> None:
    """Refuse to serve what cannot be opened; a database that is down is waited for."""
    with closing(open_parts(ours)) as parts, suppress(DatabaseError):
        parts.refuse_wrong_keys()


def _refuse_taken_port(ours: Settings) -> None:
    family = socket.AF_INET6 if ":" in ours.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ours.host, ours.port))
        except OSError as error:
            raise NotReady(
                f"Port {ours.port} on {ours.host} cannot be opened ({error.strerror}): "
                f"end what uses it, or choose another, such as HEALTHCERT_PORT={ours.port + 1}."
            ) from None


def _refuse_wrong_core(ours: Settings, workers: int) -> None:
    if ours.core is None:
        return
    if workers > 1:
        raise NotReady(
            f"HEALTHCERT_CORE is {ours.core}, and {workers} web processes would share that core: "
            "start `healthcert serve --workers 1` for each core, or leave it empty."
        )
    try:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {ours.core})
        os.sched_setaffinity(0, before)
    except (AttributeError, OSError):
        raise NotReady(
            f"HEALTHCERT_CORE is {ours.core}, which this machine does not have or does not give: "
            "choose another, or leave it empty."
        ) from None


def _welcome(base: str, people: list[str]) -> str:
    told = "\n  ".join(people)
    return f"""
  Book, hold and check    {base}/
  Check a certificate     {base}/verify
  Staff sign-in           {base}/dev/sign-in
  Messages sent           {base}/dev/outbox

  {told}

  Everyone here is fictitious. Ctrl+C ends it; data stays in the data folder.
"""
