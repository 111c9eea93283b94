"""How often something may be tried, for whom, and why: `limits.toml`, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from healthcert.data.checking import entries


@dataclass(frozen=True, slots=True)
class Limit:
    """How many in how many seconds; at `alarm`, where it is not 0, somebody is told."""

    most: int
    within: int
    why: str
    alarm: int = 0


@cache
def limits(text: str | None = None) -> Mapping[str, Mapping[str, Limit]]:
    """Return the limits of a TOML text, by deed and by ``identity``, ``network``, ``service``.

    Without a text they are those of this version.

    Raises:
        BadSettings: It is wrong; the message says where and how.
    """
    return {
        deed: {scope: Limit(**entry) for scope, entry in sorted(scopes.items())}
        for deed, scopes in entries("limits", text).items()
    }
