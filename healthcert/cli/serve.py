"""Start the service: the web processes, or everything for the demonstration."""

import os
import socket
import subprocess
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import click
from granian import Granian
from granian.constants import Interfaces
from sqlalchemy.exc import DatabaseError

from healthcert.cli.demo import prepare
from healthcert.config import Settings
from healthcert.errors import NotReady
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
    _serve(Settings.from_env(os.environ), workers)


@click.command("run")
def run_demo() -> None:
    """Prepare the demonstration and start web and worker.

    \b
    Example:
      HEALTHCERT_PORT=8080 healthcert demo run
    """
    settings = Settings.from_env(os.environ)
    _refuse_taken_port(settings)
    people = prepare(settings, now=datetime.now(UTC))
    click.echo(_welcome(settings, people))
    worker = subprocess.Popen([sys.executable, "-m", "healthcert", "worker"])
    try:
        _serve(settings, workers=2)
    finally:
        worker.terminate()
        worker.wait(timeout=10)


def _serve(settings: Settings, workers: int) -> None:
    _refuse_taken_port(settings)
    _refuse_wrong_keys(settings)
    Granian(
        "wsgi:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=workers,
        working_dir=_ROOT,
        log_access=False,
        log_level="warning",
    ).serve()


def _refuse_wrong_keys(settings: Settings) -> None:
    """Refuse to serve what cannot be opened; a database that is down is waited for."""
    with closing(open_parts(settings)) as parts, suppress(DatabaseError):
        parts.refuse_wrong_keys()


def _refuse_taken_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise NotReady(
                f"Port {settings.port} on {settings.host} cannot be opened ({error.strerror}): "
                f"end what uses it, or choose another, such as HEALTHCERT_PORT={settings.port + 1}."
            ) from None


def _welcome(settings: Settings, people: list[str]) -> str:
    base = settings.base_url
    lines = [
        "",
        f"  Book, hold and check    {base}/",
        f"  Check a certificate     {base}/verify",
        f"  Staff sign-in           {base}/dev/sign-in",
        f"  Messages sent           {base}/dev/outbox",
        "",
        *(f"  {person}" for person in people),
        "",
        "  Everyone here is fictitious. Ctrl+C ends it; data stays in the data folder.",
        "",
    ]
    return "\n".join(lines)
