"""What medicine and law decide: check what a doctor or a lawyer wrote, list what is known, load."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from healthcert.cli.opened import database, settings
from healthcert.data import checking
from healthcert.data.knowledge import Source, source_of, sources_in
from healthcert.data.series import series
from healthcert.services import knowledge

_JSON = click.option("--json", "as_json", is_flag=True, help="Answer for a program.")
_PATH = click.Path(path_type=Path, exists=True)


@click.group()
def vaccines() -> None:
    """What is given, to whom and when: vaccines and programmes."""


@click.group()
def country() -> None:
    """What a country decides: languages, places, papers, holidays, who issues."""


@vaccines.command("list")
@_JSON
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
@_JSON
@click.pass_context
def check(context: click.Context, path: Path | None, *, as_json: bool) -> None:
    r"""Say what is wrong with our files, with a file, or with a folder laid out as ours; exit 1.

    \b
    Example:
      healthcert vaccines check my-data/
    """
    _report(context, knowledge.together(_given(path)), settings().languages, as_json=as_json)


@vaccines.command()
@click.argument("path", type=_PATH, required=False)
def load(path: Path | None) -> None:
    r"""Bring the database to our files, and to those of a folder; earlier versions stay.

    \b
    Example:
      healthcert vaccines load my-data/
    """
    now, more, languages = datetime.now(UTC), _given(path), settings().languages
    with database() as doors:
        new = doors.run(lambda db: knowledge.load(db, now=now, more=more, languages=languages))
    click.echo(f"New versions: {new}")


@country.command("check")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_JSON
@click.pass_context
def check_country(context: click.Context, path: Path, *, as_json: bool) -> None:
    r"""Say what is wrong with the file of a country, a line a fault; exit 1 where any is.

    \b
    Example:
      healthcert country check healthcert/data/countries/xx.toml
    """
    source = source_of("country", path.stem, path.read_bytes())
    _report(context, [source], ("en",), as_json=as_json)


def _report(
    context: click.Context, sources: Sequence[Source], languages: Sequence[str], *, as_json: bool
) -> None:
    found = checking.faults(sources, languages)
    for fault in found:
        line = json.dumps(fault._asdict(), ensure_ascii=False) if as_json else str(fault)
        click.echo(line)
    if found:
        context.exit(1)
    files = len(sources)
    click.echo(json.dumps({"files": files}) if as_json else f"Nothing is wrong: {files} files.")


def _given(path: Path | None) -> Iterable[Source]:
    if path is None:
        return ()
    if path.is_dir():
        return [*sources_in(path, "vaccine"), *sources_in(path, "programme")]
    raw = path.read_bytes()
    source = source_of("vaccine", path.stem, raw)
    return [source_of("programme", path.stem, raw) if "products" in source.content else source]
