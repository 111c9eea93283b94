"""What medicine and law decide, and the EU's codes: check what is written, list, take in, load."""

import difflib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from healthcert.cli.opened import database, settings
from healthcert.data import checking, value_set_files
from healthcert.data.knowledge import Source, source_of, sources_in
from healthcert.data.series import series
from healthcert.data.valueset import as_toml, from_eu, from_toml, renewed
from healthcert.gateways.files import write_whole
from healthcert.services import knowledge

_JSON = click.option("--json", "as_json", is_flag=True, help="Answer for a program.")
_PATH = click.Path(path_type=Path, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group()
def vaccines() -> None:
    """What is given, to whom and when: vaccines and programmes."""


@click.group()
def country() -> None:
    """What a country decides: languages, places, papers, holidays, who issues."""


@vaccines.command("list")
@_JSON
def show(*, as_json: bool) -> None:
    """List the vaccines we know: code, name, doses, intervals.

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
    """Say what is wrong with our files, with a file, or with a folder laid out as ours; exit 1.

    \b
    Example:
      healthcert vaccines check my-data/
    """
    ours, sources = settings(), knowledge.together(_given(path))
    found = checking.faults(sources, ours.languages, ours.country)
    _report(context, found, len(sources), as_json=as_json)


@vaccines.command()
@click.argument("path", type=_PATH, required=False)
def load(path: Path | None) -> None:
    """Bring the database to our files, and to those of a folder; earlier versions stay.

    \b
    Example:
      healthcert vaccines load my-data/
    """
    now, more, ours = datetime.now(UTC), _given(path), settings()
    where: dict[str, Any] = {"languages": ours.languages, "country": ours.country}
    with database() as doors:
        new = doors.run(lambda db: knowledge.load(db, now=now, more=more, **where))
    click.echo(f"New versions: {new}")


@country.command("check")
@click.argument("path", type=_FILE)
@_JSON
@click.pass_context
def check_country(context: click.Context, path: Path, *, as_json: bool) -> None:
    """Say what is wrong with the file of a country, a line a fault; exit 1 where any is.

    \b
    Example:
      healthcert country check healthcert/data/countries/xx.toml
    """
    source = source_of("country", path.stem, path.read_bytes())
    _report(context, checking.faults([source], ("en",)), 1, as_json=as_json)


@click.group()
def valuesets() -> None:
    """The codes of certificates and their words."""


@valuesets.command("list")
def show_sets() -> None:
    """List the value sets we have: name, edition, codes, languages.

    \b
    Example:
      healthcert valuesets list
    """
    for name, found in sorted(value_set_files().items()):
        languages = ",".join(["en", *sorted(found.words)])
        click.echo(f"{name:42}  {found.dated}  {len(found.codes):4}  {languages}")


@valuesets.command("import")
@click.argument("sources", type=_FILE, nargs=-1, required=True)
@click.option("--out", type=_FOLDER, help="Folder of the files to renew, such as data/valuesets.")
def import_(sources: tuple[Path, ...], out: Path | None) -> None:
    """Show what editions in EU form change in our files; with --out, change them.

    New codes come with the EU's words, ours are kept, and no code is ever dropped. Read the
    difference, and translate what is new, before the changed file is used.

    \b
    Example:
      healthcert valuesets import vaccine-medicinal-product.json --out healthcert/data/valuesets
    """
    for source in sources:
        published = from_eu(source.read_bytes())
        path = out / f"{published.name}.toml" if out else None
        held = value_set_files().get(published.name)
        if path and path.exists():
            held = from_toml(path.read_text("utf-8"))
        before = as_toml(held) if held else ""
        after = as_toml(renewed(held, published))
        click.echo(_difference(before, after, f"{published.name}.toml"), nl=False)
        if path and before != after:
            write_whole(path, after.encode())


def _report(
    context: click.Context, found: Sequence[checking.Fault], files: int, *, as_json: bool
) -> None:
    for fault in found:
        line = json.dumps(fault._asdict(), ensure_ascii=False) if as_json else str(fault)
        click.echo(line)
    if found:
        context.exit(1)
    click.echo(json.dumps({"files": files}) if as_json else f"Nothing is wrong: {files} files.")


def _given(path: Path | None) -> Iterable[Source]:
    if path is None:
        return ()
    if path.is_dir():
        return [*sources_in(path, "vaccine"), *sources_in(path, "programme")]
    raw = path.read_bytes()
    source = source_of("vaccine", path.stem, raw)
    return [source_of("programme", path.stem, raw) if "products" in source.content else source]


def _difference(before: str, after: str, name: str) -> str:
    lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
    return "".join(difflib.unified_diff(*lines, f"held/{name}", f"published/{name}", n=1))
