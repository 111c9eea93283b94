"""Look into certificates and pictures of them, and write names in the letters of a passport."""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from healthcert.cli.lines import lines, moment
from healthcert.data import value_sets
from healthcert.errors import BadInput, BadPicture, PictureTooLarge
from healthcert.hcert import qr
from healthcert.hcert.inspection import Inspection, inspect
from healthcert.hcert.names import left_out, standardise

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_MAX_LINE = 4 * 1024 * 1024  # bytes: a text and some two thousand signers' certificates


@click.group()
def hcert() -> None:
    """Read certificates and say what is in them."""


@hcert.command("inspect")
@click.argument("file", type=click.File("rb"), default="-")
def inspect_(file: BinaryIO) -> None:
    """Explain every certificate of FILE, or of standard input, step by step.

    A line is the text of a code, or {"barcode": text, "certificates": [base64 DER, ...],
    "at": ISO 8601}, the certificates being trusted for that line alone. One JSON object a line
    comes out, in order. The payload is read even if the signature fails: this explains, it
    does not admit. Exit code 0 whenever every line was answered.

    \b
    Example:
      echo 'HC1:...' | healthcert hcert inspect
    """
    tables = value_sets()
    for line in lines(file, _MAX_LINE):
        click.echo(json.dumps(_answer(line, tables)))


@hcert.command()
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=_FILE)
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


@hcert.command()
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


def _answer(line: str, tables: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    try:
        barcode, certificates, at = _question(line)
    except BadInput as refusal:
        found = Inspection()
        found.steps["prefix"] = False
        found.refuse(refusal.code, str(refusal))
    else:
        found = inspect(
            barcode, certificates=certificates, at=at or datetime.now(UTC), tables=tables
        )
    return _as_json(found)


def _question(line: str) -> tuple[str, list[bytes], datetime | None]:
    """Return a line's code, who is trusted, when; `BadInput` for JSON that asks nothing."""
    try:
        asked = json.loads(line) if line[:1] in ("{", '"') else line
    except (ValueError, RecursionError):
        asked = line
    if isinstance(asked, str):
        return asked, [], None
    barcode = asked.get("barcode")
    if not isinstance(barcode, str):
        raise BadInput({"barcode": "not_a_text"})
    return barcode, _certificates(asked.get("certificates")), _moment(asked.get("at"))


def _certificates(given: object) -> list[bytes]:
    if given is None:
        return []
    try:
        if isinstance(given, list):
            return [base64.b64decode(one, validate=True) for one in given]
    except (ValueError, TypeError):
        pass
    raise BadInput({"certificates": "not_a_list_of_base64"})


def _moment(given: object) -> datetime | None:
    try:
        return None if given is None else moment(given)
    except ValueError:
        raise BadInput({"at": "not_a_time"}) from None


def _as_json(found: Inspection) -> dict[str, Any]:
    claims, refusal = found.claims, found.refusal
    return {
        "steps": found.steps,
        "kid": None if found.kid is None else base64.b64encode(found.kid).decode(),
        "claims": claims
        and {"iss": claims.issuer, "iat": claims.issued_at, "exp": claims.expires_at},
        "certificate": found.certificate,
        "refusal": refusal and {"code": refusal[0], "message": refusal[1]},
    }


def _codes(image: Path) -> tuple[list[qr.Code], dict[str, str] | None]:
    """Return the codes of a picture, or why it was refused."""
    try:
        if image.stat().st_size > qr.MOST_BYTES:
            raise PictureTooLarge
        return qr.read(image.read_bytes()), None
    except BadPicture as refusal:
        return [], {"code": refusal.code, "message": str(refusal)}
