"""How often something may be tried, for whom, and why: `limits.toml`, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from healthcert.data.checking import entries


@dataclass(frozen=True, slots=True)
class Limit:
    """How many in how many seconds; at `alarm`, where it is not 0, somebody is told."""

    most: int
    within: int
    why: str
    alarm: int = 0


@cache
def limits() -> Mapping[str, Mapping[str, Limit]]:
    """Return the limits of this version, by deed and by ``identity``, ``network``, ``service``.

    Raises:
        BadSettings: The file is wrong; the message says where and how.
    """
    return read(files("healthcert").joinpath("data", "limits.toml").read_text("utf-8"))


def read(text: str) -> Mapping[str, Mapping[str, Limit]]:
    """Return the limits of a TOML text; see `limits`."""
    return {
        deed: {scope: Limit(**entry) for scope, entry in sorted(scopes.items())}
        for deed, scopes in entries(text, "limits", "limits.toml").items()
    }
