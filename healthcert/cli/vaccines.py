"""Vaccines and programmes: check what a doctor wrote, list what is known, load it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from healthcert.config import Settings
from healthcert.data import checking
from healthcert.data.checking import Fault
from healthcert.data.knowledge import Source, source_of, sources_in
from healthcert.data.series import series
from healthcert.db import Doors, make_engine, refuse_unready
from healthcert.services import knowledge

JSON = click.option("--json", "as_json", is_flag=True, help="Answer for a program.")
_PATH = click.Path(path_type=Path, exists=True)


@click.group()
def vaccines() -> None:
    """What is given, to whom and when: vaccines and programmes."""


@vaccines.command("list")
@JSON
def show(*, as_json: bool) -> None:
    r"""List the vaccines we know: code, name, doses, intervals.

    \b
    Example:
      healthcert vaccines list
    """
    for source in knowledge.together(()):
        if source.kind == "vaccine":
            rule, content = series(source.content), source.content
            told = {
                "code": content["code"], "name": content["name"], "doses": rule.doses,
                "min_interval_days": rule.min_interval, "targets": content["targets"],
                "sha256": source.sha256,
            }  # fmt: skip
            line = "{code:20} {name:20} {doses} doses, {min_interval_days} days apart"
            click.echo(json.dumps(told) if as_json else line.format(**told))


@vaccines.command()
@click.argument("path", type=_PATH, required=False)
@JSON
@click.pass_context
def check(context: click.Context, path: Path | None, *, as_json: bool) -> None:
    r"""Say what is wrong with our files, with a file, or with a folder laid out as ours; exit 1.

    \b
    Example:
      healthcert vaccines check my-data/
    """
    sources = knowledge.together(_given(path))
    report(context, checking.faults(sources, _settings().languages), len(sources), as_json=as_json)


@vaccines.command()
@click.argument("path", type=_PATH, required=False)
def load(path: Path | None) -> None:
    r"""Bring the database to our files, and to those of a folder; earlier versions stay.

    \b
    Example:
      healthcert vaccines load my-data/
    """
    settings = _settings()
    engine = make_engine(settings.database_url)
    try:
        refuse_unready(engine)
        new = Doors(engine).run(
            lambda db: knowledge.load(
                db, now=datetime.now(UTC), more=_given(path), languages=settings.languages
            )
        )
    finally:
        engine.dispose()
    click.echo(f"New versions: {new}")


def report(context: click.Context, found: Sequence[Fault], files: int, *, as_json: bool) -> None:
    """Tell what was found, a line each; leave with 1 where anything was."""
    for fault in found:
        click.echo(json.dumps(asdict(fault), ensure_ascii=False) if as_json else str(fault))
    if found:
        context.exit(1)
    click.echo(json.dumps({"files": files}) if as_json else f"Nothing is wrong: {files} files.")


def _given(path: Path | None) -> Iterable[Source]:
    if path is None:
        return ()
    if path.is_dir():
        return [source for kind in ("vaccine", "programme") for source in sources_in(path, kind)]
    source = source_of("vaccine", path.stem, path.read_bytes())
    is_programme = "products" in source.content
    return [source_of("programme", path.stem, path.read_bytes()) if is_programme else source]


def _settings() -> Settings:
    return Settings.from_env(os.environ)
