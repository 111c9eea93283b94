"""Take tables in, take them back, give them out: people, sites, staff, lots, doses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy.orm import Session

from healthcert.cli.opened import service
from healthcert.data import table
from healthcert.errors import BadRows, NotFound
from healthcert.gateways.files import write_whole
from healthcert.jobs.importing import take_in
from healthcert.models import ImportBatch, Staff
from healthcert.parts import Parts
from healthcert.services import exporting, fhir, importing
from healthcert.services.cells import Setting
from healthcert.services.import_kinds import KINDS, lines_of
from healthcert.services.importing import Report

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_KIND = click.Choice(sorted(KINDS))
_MOST_SHOWN = 50


@click.group("import")
def import_() -> None:
    """Take in tables (CSV in UTF-8, with headings; doses also FHIR), looked at first as a whole."""


@import_.command("look")
@click.argument("kind", type=_KIND)
@click.argument("file", type=_FILE)
def look(kind: str, file: Path) -> None:
    """Show what a table would do, and write nothing.

    \b
    Example:
      healthcert import look people register.csv
    """
    raw = file.read_bytes()
    with opened_for(None) as (parts, setting), parts.doors.reading() as db:
        lines = lines_of(db, kind, raw)
        report = importing.look(db, setting=setting(db), kind=KINDS[kind], lines=lines)
    _tell(report, as_fhir=fhir.is_fhir(raw))
    if report.faults:
        raise BadRows(report.faults)


@import_.command("take")
@click.argument("kind", type=_KIND)
@click.argument("file", type=_FILE)
@click.option("--staff", type=click.UUID, help="Who takes it in; lots and doses need somebody.")
def take(kind: str, file: Path, staff: UUID | None) -> None:
    """Take a table in. Lines on record already are passed over; a fault stops all of it.

    Large tables go in by pieces. After a power cut the same command goes on where it was.

    \b
    Example:
      healthcert import take sites sites.csv
    """
    raw = file.read_bytes()
    with opened_for(staff) as (parts, setting):
        with parts.doors.reading() as db:
            lines, told = lines_of(db, kind, raw), setting(db)
        with click.progressbar(length=len(lines), label=kind, hidden=not lines) as bar:
            try:
                report = take_in(
                    parts.doors, setting=told, kind=KINDS[kind], lines=lines, raw=raw,
                    progress=bar.update,
                )  # fmt: skip
            except BadRows as refusal:
                _tell_faults(refusal, as_fhir=fhir.is_fhir(raw))
                raise
    _tell(report, as_fhir=fhir.is_fhir(raw))


@import_.command("undo")
@click.argument("batch", type=click.UUID)
@click.option("--staff", type=click.UUID, help="Who takes it back; lots and doses need somebody.")
def undo(batch: UUID, staff: UUID | None) -> None:
    """Take a batch back; what something leans on by now stays, and is counted.

    \b
    Example:
      healthcert import undo 019a7d3e-6a41-7b5c-9c1e-5a0f0b7a2d11
    """

    def work(db: Session) -> tuple[int, int]:
        found = db.get(ImportBatch, batch)
        if found is None:
            raise NotFound("no such batch")
        kind = KINDS[found.kind]
        return importing.take_back(db, setting=setting(db), kind=kind, batch_id=batch)

    with opened_for(staff) as (parts, setting):
        gone, stayed = parts.doors.run(work)
    click.echo(f"gone {gone}, stayed {stayed}")


@click.command("export")
@click.argument("kind", type=_KIND)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export(kind: str, file: Path) -> None:
    """Give out a table as it can be taken in again; the file is its owner's alone to read.

    Doses go out as FHIR R4B where the file ends in .json (a Bundle) or .ndjson.

    \b
    Example:
      healthcert export sites sites.csv
      healthcert export doses doses.ndjson
    """
    ending = file.suffix.lower().lstrip(".")
    form = ending if ending in ("json", "ndjson") else "csv"
    with opened_for(None) as (parts, setting):
        table = parts.doors.run(
            lambda db: exporting.give_out(db, setting=setting(db), kind=kind, form=form)
        )
    write_whole(file, table.encode())
    file.chmod(0o600)
    click.echo(f"wrote {file}")


@contextmanager
def opened_for(staff: UUID | None) -> Iterator[tuple[Parts, Callable[[Session], Setting]]]:
    """Give the parts, and what tells of the deed of a member of staff, who has to be active."""
    now = datetime.now(UTC)
    with service() as parts:

        def setting(db: Session) -> Setting:
            who = db.get(Staff, staff) if staff else None
            if staff and (who is None or not who.active):
                raise NotFound("no such member of staff")
            return Setting(parts.vault, parts.country, who, now)

        yield parts, setting


def _tell(report: Report, *, as_fhir: bool) -> None:
    known, twice = len(report.known), len(report.twice)
    passed = f", passed over {len(report.passed)}" if report.passed else ""
    click.echo(f"lines {report.lines}: new {report.new}, on record {known}, twice {twice}{passed}")
    for line, before in list(report.twice.items())[:_MOST_SHOWN]:
        click.echo(f"{_place(line, as_fhir)} says the same as {_place(before, as_fhir)}")
    for line, why in list(report.passed.items())[:_MOST_SHOWN]:
        click.echo(f"{_place(line, as_fhir)} is {why}: passed over")
    if report.batch_id:
        click.echo(f"batch {report.batch_id}")
    if report.faults:
        _tell_faults(BadRows(report.faults), as_fhir=as_fhir)


def _tell_faults(refusal: BadRows, *, as_fhir: bool) -> None:
    for fault in refusal.faults[:_MOST_SHOWN]:
        advice = table("advice").get(fault.wrong, "this cannot be used")
        field = fhir.FIELDS.get(fault.field, fault.field) if as_fhir else fault.field
        click.echo(f"{_place(fault.line, as_fhir)}, {field}: {fault.wrong} ({advice})")
    if len(refusal.faults) > _MOST_SHOWN:
        click.echo(f"and {len(refusal.faults) - _MOST_SHOWN} more")


def _place(line: int, as_fhir: bool) -> str:  # noqa: FBT001 - handed on, not decided by
    return f"entry {line - 1}" if as_fhir else f"line {line}"
