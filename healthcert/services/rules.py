"""The entry rules we hold: those that come with this version, and those taken in since.

Each lies in a file of its own, in EU form: `<country>/<identifier>-<version>.json`. Bundles carry
them to the verifiers.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import healthcert
from healthcert.errors import RuleError
from healthcert.gateways.files import write_whole
from healthcert.policy.exchange import Complaint, complaint
from healthcert.policy.rules import Rule, read_rule

Told = Mapping[str, Any]
"""A rule in EU form."""

_OURS = Path(healthcert.__file__).parent / "data" / "rules"


def held(folder: Path, country: str) -> tuple[Told, ...]:
    """Return the rules of a folder, and ours for a country, each version of each.

    A file that is no rule stands as one without contents, so that it is open wherever it would
    have decided, and never passed over. Where the folder, which need not be there, holds the same
    version of a rule as we do, that one counts.
    """
    found = {_key(told): told for told in [*_read(_OURS / country), *_read(folder)]}
    return tuple(found[key] for key in sorted(found))


def take_in(
    folder: Path, told: object, *, country: str, now: datetime | None
) -> Complaint | Literal["taken in", "known"]:
    """Put what is said to be a rule in EU form into a folder, and return what became of it."""
    known = held(folder, country)
    if told in known:
        return "known"
    wrong = complaint(told, others=list(_readable(known)), now=now)
    if wrong is None:
        put(folder, read_rule(told), told)
    return wrong or "taken in"


def put(folder: Path, rule: Rule, told: object) -> Path:
    """Return the file into which a rule was written, in a folder of its country."""
    version = ".".join(map(str, rule.version))
    path = folder / rule.country / f"{rule.identifier}-{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(told, ensure_ascii=False, indent=2).encode() + b"\n")
    return path


def _read(folder: Path) -> Iterator[Told]:
    for path in sorted(folder.rglob("*.json")):
        try:
            told = json.loads(path.read_text("utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            told = None
        no_rule = {"Identifier": path.stem, "Country": path.parent.name}
        yield told if isinstance(told, dict) else no_rule


def _key(told: Told) -> tuple[str, str]:
    return str(told.get("Identifier")), str(told.get("Version"))


def _readable(known: tuple[Told, ...]) -> Iterator[Rule]:
    for told in known:
        try:
            yield read_rule(told)
        except RuleError:
            continue
