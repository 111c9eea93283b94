"""Run the test data that the EU's issuers published, in the layout they published it in."""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from healthcert.cli.lines import moment
from healthcert.hcert.grading import Case, grade

_LAYOUT = frozenset(("2dcode", "raw"))  # folders that say nothing of the certificate
_EXPECTED = "EXPECTED"
T = TypeVar("T")


class _Row(NamedTuple):
    id: str
    flag: str
    expected: bool
    got: bool | None


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each verdict.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def conformance(folder: Path, *, as_json: bool) -> None:
    """Judge each certificate of FOLDER and compare with what its issuer expects.

    FOLDER holds a folder a country, with 2DCode/raw/*.json in it, as in the EU's test data;
    pictures stand in the file or beside it, in 2DCode/png. A flag whose data are missing is
    counted as absent.

    \b
    Example:
      healthcert conformance dgc-testdata
    """
    rows = [row for path in sorted(folder.rglob("*.json")) for row in _rows(folder, path)]
    if not rows:
        raise click.UsageError(f"{folder} holds no test data")
    told = (json.dumps(row._asdict()) for row in rows)
    for line in told if as_json else _as_table(rows):
        click.echo(line)


def _rows(folder: Path, path: Path) -> Iterator[_Row]:
    told = _read(path)
    if told is None:
        return
    parts = path.relative_to(folder).with_suffix("").parts
    name = "/".join(part for part in parts if part.lower() not in _LAYOUT)
    verdicts = grade(_case(told, path))
    for key, expected in told["EXPECTEDRESULTS"].items():
        flag = key.removeprefix(_EXPECTED).lower()
        yield _Row(name, flag, bool(expected), verdicts.get(flag))


def _read(path: Path) -> dict[str, Any] | None:
    """Return a file of test data; None, and a word on standard error, for any other."""
    try:
        told = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        told = None
    if isinstance(told, dict) and all(
        isinstance(told.get(part), dict) for part in ("TESTCTX", "EXPECTEDRESULTS")
    ):
        return told
    click.echo(f"{path} is not a test", err=True)
    return None


def _case(told: Mapping[str, Any], path: Path) -> Case:
    context = told["TESTCTX"]
    base45, dcc, schema = told.get("BASE45"), told.get("JSON"), context.get("SCHEMA")
    return Case(
        barcode=_as(str, told.get("PREFIX")) or "",
        signer=_as(base64.b64decode, context.get("CERTIFICATE")),
        at=_as(moment, context.get("VALIDATIONCLOCK")),
        schema=schema if isinstance(schema, str) else None,
        base45=base45 if isinstance(base45, str) else None,
        compressed=_as(bytes.fromhex, told.get("COMPRESSED")),
        cose=_as(bytes.fromhex, told.get("COSE")),
        cbor=_as(bytes.fromhex, told.get("CBOR")),
        json=dcc if isinstance(dcc, dict) else None,
        picture=_as(base64.b64decode, told.get("2DCODE")) or _picture_beside(path),
    )


def _picture_beside(path: Path) -> bytes | None:
    """Return the picture that lies in a folder beside the test's own, under the same name."""
    for folder in ("png", "PNG"):
        picture = path.parent.parent / folder / f"{path.stem}.png"
        if picture.is_file():
            return picture.read_bytes()
    return None


def _as(read: Callable[[str], T], text: object) -> T | None:
    """Return a text as it is to be read; None where there is none, or it is not of that form."""
    try:
        return read(text) if isinstance(text, str) and text else None
    except ValueError:
        return None


def _as_table(rows: list[_Row]) -> Iterator[str]:
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        agrees = "absent" if row.got is None else "ok" if row.got == row.expected else "mismatch"
        counts.setdefault(row.id.split("/")[0], Counter())[agrees] += 1
    line = "{:10} {:>7} {:>9} {:>7}"
    yield line.format("country", "ok", "mismatch", "absent")
    for country, count in sorted(counts.items()):
        yield line.format(country, count["ok"], count["mismatch"], count["absent"])
    total = sum(counts.values(), Counter[str]())
    yield line.format("all", total["ok"], total["mismatch"], total["absent"])
