"""How long what is known of people is kept, and why: `retention.toml`, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files

from healthcert.data.checking import entries


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one kind of rows is kept, why, and what becomes of it; the file's head tells."""

    days: int
    after: str
    then: str
    why: str
    source: str

    @property
    def time(self) -> timedelta:
        """How long, after the moment that `after` names."""
        return timedelta(days=self.days)


@cache
def retention() -> Mapping[str, Rule]:
    """Return the rules that come with this version, by kind.

    Raises:
        BadSettings: The file is wrong; the message says where and how.
    """
    return read(files("healthcert").joinpath("data", "retention.toml").read_text("utf-8"))


def read(text: str) -> Mapping[str, Rule]:
    """Return the rules of a TOML text, by kind.

    Raises:
        BadSettings: It cannot be read, or an entry is not as ``schema.toml`` has it.
    """
    told = entries(text, "retention", "retention.toml")
    return {kind: Rule(**entry) for kind, entry in told.items()}
