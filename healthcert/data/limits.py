"""How often something may be tried, for whom, and why: `limits.toml`, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from healthcert.data.checking import misfits
from healthcert.errors import BadSettings

SCOPES = ("identity", "network", "service")


@dataclass(frozen=True, slots=True)
class Limit:
    """How many in how many seconds; at `alarm`, where it is not 0, somebody is told."""

    most: int
    within: int
    why: str
    alarm: int = 0


@cache
def limits() -> Mapping[str, Mapping[str, Limit]]:
    """Return the limits that come with this version, by deed and by one of `SCOPES`.

    Raises:
        BadSettings: The file is wrong; the message says where and how.
    """
    return read(files("healthcert").joinpath("data", "limits.toml").read_text("utf-8"))


def read(text: str) -> Mapping[str, Mapping[str, Limit]]:
    """Return the limits of a TOML text, by deed and scope.

    Raises:
        BadSettings: It cannot be read, or an entry is not as ``schema.toml`` has it.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"limits.toml cannot be read: {error}") from None
    for deed, scopes in table.items():
        for scope, entry in scopes.items():
            if scope not in SCOPES:
                raise BadSettings(f"limits.toml: {deed}.{scope}: one of {', '.join(SCOPES)}")
            for field, says in misfits(entry, "table limit", f"{deed}.{scope}"):
                raise BadSettings(f"limits.toml: {field}: {says}")
    return {
        deed: {scope: Limit(**scopes[scope]) for scope in SCOPES if scope in scopes}
        for deed, scopes in table.items()
    }
