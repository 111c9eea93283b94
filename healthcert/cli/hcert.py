"""Look into certificates: JSON lines in, JSON lines out."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

import click

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
    for line in _lines(file):
        click.echo(json.dumps(_answer(line, tables)))


@dataclass(frozen=True, slots=True)
class _Question:
    barcode: str
    certificates: list[bytes]
    at: datetime | None


def _lines(file: BinaryIO) -> Iterator[str]:
    """Give every line without its end; of an endless one no more than can be a question."""
    while line := file.readline(_MAX_LINE):
        rest = line
        while not rest.endswith(b"\n") and (rest := file.readline(_MAX_LINE)):
            pass
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _answer(line: str, tables: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    try:
        asked = _question(line)
    except BadInput as refusal:
        unread = Inspection()
        unread.steps["prefix"] = False
        unread.refuse(refusal.code, str(refusal))
        return _as_json(unread)
    at = asked.at or datetime.now(UTC)
    return _as_json(inspect(asked.barcode, certificates=asked.certificates, at=at, tables=tables))


def _question(line: str) -> _Question:
    """Return what a line asks.

    Raises:
        BadInput: It is a JSON object, but not one that asks anything.
    """
    try:
        asked = json.loads(line) if line[:1] in ("{", '"') else line
    except (ValueError, RecursionError):
        asked = line
    if isinstance(asked, str):
        return _Question(asked, [], None)
    barcode = asked.get("barcode")
    if not isinstance(barcode, str):
        raise BadInput({"barcode": "not_a_text"})
    return _Question(barcode, _certificates(asked.get("certificates")), _moment(asked.get("at")))


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
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise BadInput({"at": "not_a_time"})
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
