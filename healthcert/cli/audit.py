"""`healthcert audit`: hold the record against what was sealed; prove, export, witness."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import UUID

import click

from healthcert.cli.opened import database, settings
from healthcert.gateways import seal_files
from healthcert.gateways.note_keys import read_verifier
from healthcert.hcert.bundle import read
from healthcert.services import auditing, sealing
from healthcert.services.keys import AUDIT_LOG
from healthcert.services.trusted import load_pins
from healthcert.transparency.comparing import Finding, Source
from healthcert.transparency.seals import Seal
from healthcert.witness import COMMANDS

_PATH = click.Path(path_type=Path, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def audit() -> None:
    """The sealed audit: verify it, prove what it holds, export it, have it witnessed."""


@audit.command()
@click.option("--log", type=_FILE, help="The log's verifier key, from your own safe place.")
@click.option("--seals", type=_PATH, multiple=True, help="Copies of seals: a file or a folder.")
@click.option("--witness", "witnesses", type=(_FILE, _PATH), multiple=True,
              help="A witness's verifier key and its folder.")  # fmt: skip
@click.option("--bundle", type=_FILE, help="A bundle that was published.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding.")
@click.pass_context
def verify(
    context: click.Context,
    log: Path | None,
    seals: tuple[Path, ...],
    witnesses: tuple[tuple[Path, Path], ...],
    bundle: Path | None,
    *,
    as_json: bool,
) -> None:
    """Hold every event against what was sealed; exit 1, naming the events, if it differs.

    The service's own seal files are always looked at.

    \b
    Example:
      healthcert audit verify --witness w1.vkey witness-1/ --bundle old-bundle.hcb
    """
    ours = settings()
    key = read_verifier(log or ours.keys_dir / AUDIT_LOG)
    sources = [
        Source.of(str(path), seal_files.read(path), log=key) for path in (ours.seals_dir, *seals)
    ]
    sources += [
        Source.of(by.name, seal_files.read(state), log=key, witness=by)
        for by, state in ((read_verifier(vkey), state) for vkey, state in witnesses)
    ]
    if bundle:
        published = read(bundle.read_bytes(), pinned=load_pins(ours.pins_dir)).audit_head
        told = [Seal(published.decode())] if published else []
        sources.append(Source.of(str(bundle), told, log=key))
    with database() as doors, doors.reading() as db:
        found = auditing.verify(db, log=key, sources=sources, now=datetime.now(UTC))
        head = sealing.newest(db)
    for finding in found:
        click.echo(json.dumps(asdict(finding), default=str) if as_json else _words(finding))
    if found:
        context.exit(1)
    click.echo(f"{head.size if head else 0} events are as they were sealed.", err=as_json)


@audit.command()
@click.argument("event", type=click.UUID, required=False)
@click.option("--since", type=click.IntRange(0), help="Prove growth since a tree of this size.")
@click.option("--head", type=click.File(encoding="utf-8"), help="A head that a witness cosigned.")
def prove(event: UUID | None, since: int | None, head: IO[str] | None) -> None:
    """Prove that an event was sealed, or that the tree only grew: for anybody to check.

    \b
    Example:
      healthcert audit prove 01a20077-4160-70b0-bb1d-0ae56e30e4d4 > event.tlog-proof
      healthcert audit prove --since 20852014 > growth
    """
    what = since if event is None else event
    if what is None:
        raise click.UsageError("name an event, or say --since")
    log = read_verifier(settings().keys_dir / AUDIT_LOG)
    with database() as doors, doors.reading() as db:
        click.echo(auditing.prove(db, what, log=log, head=head.read() if head else None), nl=False)


@audit.command()
def export() -> None:
    """Write every sealed event as a line of JSON with its entry and leaf hash; nobody is named.

    \b
    Example:
      healthcert audit export > audit.jsonl
    """
    with database() as doors, doors.reading() as db:
        for line in auditing.export(db):
            click.echo(line)


for command in COMMANDS:
    audit.add_command(command)


def _words(finding: Finding) -> str:
    among = ", ".join(map(str, finding.events))
    told = f" (among: {among})" if finding.kind == "forked" and among else ""
    return f"{finding.kind:10} {finding.source}: {finding.says}{told}"
