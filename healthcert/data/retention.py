"""How long what is known of people is kept, and why: `retention.toml`, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from healthcert.errors import BadSettings

ENDS = ("deleted", "blanked", "erased", "kept")
_TEXTS = ("after", "then", "why", "source")
_LONGEST = 36525  # days: a century; more is a slip of the hand


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one kind of rows is kept.

    Attributes:
        kind: Which rows, a name of `services.retention`.
        time: How long, after the moment that `after` names.
        after: From when, in words.
        then: One of `ENDS`.
        why: What they are needed for until then.
        source: Who says so.
    """

    kind: str
    time: timedelta
    after: str
    then: str
    why: str
    source: str


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
        BadSettings: It cannot be read, or an entry lacks something or holds what cannot be meant.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"retention.toml cannot be read: {error}") from None
    return {kind: _rule(kind, entry) for kind, entry in table.items()}


def _rule(kind: str, entry: Any) -> Rule:  # noqa: ANN401 - whatever the file holds
    if not isinstance(entry, dict) or set(entry) != {"days", *_TEXTS}:
        raise _wrong(kind, f"it needs days, {', '.join(_TEXTS)}, and no more")
    days, texts = entry["days"], [entry[name] for name in _TEXTS]
    if type(days) is not int or not 0 <= days <= _LONGEST:
        raise _wrong(kind, f"days is a whole number from 0 to {_LONGEST}")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise _wrong(kind, f"{', '.join(_TEXTS)} are said in words")
    if entry["then"] not in ENDS:
        raise _wrong(kind, f"then is one of {', '.join(ENDS)}")
    return Rule(kind, timedelta(days=days), *texts)


def _wrong(kind: str, why: str) -> BadSettings:
    return BadSettings(f"retention.toml, {kind}: {why}.")
