"""Country packs: check what a country decided, before it is used."""

from __future__ import annotations

from pathlib import Path

import click

from healthcert.cli.vaccines import JSON, report
from healthcert.data import checking
from healthcert.data.knowledge import source_of


@click.group()
def country() -> None:
    """What a country decides: languages, places, papers, holidays, who issues."""


@country.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@JSON
@click.pass_context
def check(context: click.Context, path: Path, *, as_json: bool) -> None:
    r"""Say what is wrong with the file of a country, a line a fault; exit 1 where any is.

    \b
    Example:
      healthcert country check healthcert/data/countries/xx.toml
    """
    source = source_of("country", path.stem, path.read_bytes())
    report(context, checking.faults([source], ("en",)), 1, as_json=as_json)
