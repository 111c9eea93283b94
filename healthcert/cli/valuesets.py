"""Value sets: take in newer editions, for a person to review."""

import difflib
from pathlib import Path

import click

from healthcert.data import value_set_files
from healthcert.data.valueset import as_toml, from_eu, from_toml, renewed
from healthcert.gateways.files import write_whole

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group()
def valuesets() -> None:
    """The codes of certificates and their words."""


@valuesets.command("list")
def show() -> None:
    r"""List the value sets we have: name, edition, codes, languages.

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
    r"""Show what editions in EU form change in our files; with --out, change them.

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


def _difference(before: str, after: str, name: str) -> str:
    lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
    return "".join(difflib.unified_diff(*lines, f"held/{name}", f"published/{name}", n=1))
