"""Verify certificates from texts and pictures, offline."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from healthcert.cli.lines import LONGEST, lines, moment
from healthcert.cli.opened import settings
from healthcert.errors import BadPicture
from healthcert.hcert import qr
from healthcert.hcert.pictures import begins_like_a_picture, is_picture
from healthcert.services.trusted import load_pins
from healthcert.services.verification import Verifier, built

_FILE = click.Path(path_type=Path, dir_okay=False)
_SOME_NOT_VALID = 1


def _moment(value: str) -> datetime:
    try:
        return moment(value)
    except ValueError:
        says = f"{value!r} is not a time such as 2026-03-02T12:00:00Z"
        raise click.BadParameter(says) from None


def _country(value: str) -> str:
    if len(value) != 2 or not value.isascii() or not value.isalpha():  # noqa: PLR2004
        raise click.BadParameter(f"{value!r} is not a country in two letters, such as FR")
    return value.upper()


@click.command()
@click.option("--bundle", "path", type=_FILE, help="Bundle to judge by; else HEALTHCERT_BUNDLE.")
@click.option("--country", type=_country, metavar="CC", help="Of arrival, for its entry rules.")
@click.option("--at", type=_moment, metavar="TIME", help="Another time than now, ISO 8601.")
@click.argument("file", type=click.File("rb"), default="-")
def verify(path: Path | None, country: str | None, at: datetime | None, file: BinaryIO) -> None:
    """Write a verdict as one JSON line for each certificate.

    FILE holds one bar code text a line, or is a picture (PNG, JPEG, WebP or GIF), which gives
    one line for each code in it. Exit code 0: all valid; 1: some not; 2: misuse.

    \b
    Example:
      healthcert verify --country FR photo.jpg
    """
    ours = settings()
    pins = load_pins(ours.pins_dir)
    verifier = Verifier(path or ours.bundle, pins, floor=built())
    valid = True
    for text in _texts(file):
        verdict = verifier.verdict(text, now=datetime.now(UTC), at=at, country=country)
        valid = valid and verdict["verdict"] == "valid"
        click.echo(json.dumps(verdict, ensure_ascii=False))
    sys.exit(0 if valid else _SOME_NOT_VALID)


def _texts(file: BinaryIO) -> Iterator[str]:
    """Give the texts of a picture's codes, or else the lines of a text as they come."""
    first = file.readline(LONGEST)
    if begins_like_a_picture(first):
        first += file.read(qr.MOST_BYTES)
        if is_picture(first):
            yield from _codes(first)
            return
    yield from (text for text in lines(file, already=first) if text.strip())


def _codes(picture: bytes) -> list[str]:
    """Return the texts of a picture's codes; where there is none, a text that is no certificate."""
    try:
        texts = [code.text for code in qr.read(picture)]
    except BadPicture as refusal:
        click.echo(f"{refusal.code}: {refusal}", err=True)
        texts = []
    return texts or [""]
