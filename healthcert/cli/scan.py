"""Read codes from pictures, and write names in the letters of a passport."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import click

from healthcert.cli.lines import lines
from healthcert.errors import BadPicture, PictureTooLarge
from healthcert.hcert import qr
from healthcert.hcert.names import left_out, standardise


@click.command()
@click.argument(
    "images",
    metavar="IMAGE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
def scan(images: Iterable[Path]) -> None:
    """Write the QR and Aztec codes of each picture as one JSON line.

    \b
    Example:
      healthcert hcert scan photo.jpg
    """
    for image in images:
        codes, refusal = _codes(image)
        shown = [{"kind": code.kind, "text": code.text} for code in codes]
        answer = {"file": str(image), "codes": shown, "refusal": refusal}
        click.echo(json.dumps(answer, ensure_ascii=False))


@click.command()
@click.option("--language", help="ISO 639-1, where two languages write a letter two ways.")
@click.argument("file", type=click.File("rb"), default="-")
def names(language: str | None, file: BinaryIO) -> None:
    """Write each line of FILE as the machine-readable zone of a passport does.

    A letter without a published table is left out and named on standard error.

    \b
    Example:
      echo 'Zoë Müller' | healthcert hcert names
    """
    for number, name in enumerate(lines(file), start=1):
        click.echo(standardise(name, language=language))
        if missing := left_out(name):
            click.echo(f"line {number}: no table for {' '.join(missing)}", err=True)


def _codes(image: Path) -> tuple[list[qr.Code], dict[str, str] | None]:
    """Return the codes of a picture, or why it was refused."""
    try:
        if image.stat().st_size > qr.MOST_BYTES:
            raise PictureTooLarge
        return qr.read(image.read_bytes()), None
    except BadPicture as refusal:
        return [], {"code": refusal.code, "message": str(refusal)}
