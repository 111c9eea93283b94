"""How long what is known of people is kept, and why: `retention.toml`, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

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
def retention(text: str | None = None) -> Mapping[str, Rule]:
    """Return the rules of a TOML text, or of ours, by kind; `BadSettings` if they are not so."""
    return {kind: Rule(**entry) for kind, entry in entries("retention", text).items()}
