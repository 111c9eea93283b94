"""Look into certificates: JSON lines in, JSON lines out."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import click

from healthcert.cli.lines import lines, moment
from healthcert.data import value_sets
from healthcert.errors import BadInput
from healthcert.hcert.inspection import Inspection, inspect

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
    """Return what a line asks: the code's text, who is trusted, and at which time.

    Raises:
        BadInput: It is a JSON object, but not one that asks anything.
    """
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
