"""A value set: codes and their words, as our file has it and as the EU publishes it.

Source: "Value sets for EU Digital COVID Certificates" release 2.12; EU gateway, /valuesets.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from healthcert.errors import BadInput

_NAME = re.compile("[a-z0-9-]{1,60}")


@dataclass(frozen=True, slots=True)
class ValueSet:
    """The codes of one set."""

    name: str  # the EU's, which is also that of our file
    dated: date  # the day of the edition it follows
    codes: Mapping[str, str]  # each code with English words
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # others, by language
    about: tuple[str, ...] = ()  # what the set is, a line each; the head of our file


def from_toml(text: str) -> ValueSet:
    """Return the set that a file of ours holds; a wrong file is our own mistake."""
    table = tomllib.loads(text)
    about = tuple(line[2:] for line in text.splitlines() if line.startswith("# "))
    return ValueSet(table["id"], table["dated"], table["codes"], table.get("words", {}), about)


def as_toml(value_set: ValueSet) -> str:
    """Return a set as our file has it: the same text for the same set, codes in their order."""
    lines = [f"# {line}" for line in value_set.about]
    lines += [f"id = {_quoted(value_set.name)}", f"dated = {value_set.dated.isoformat()}"]
    tables = {"codes": value_set.codes}
    tables |= {f"words.{language}": words for language, words in sorted(value_set.words.items())}
    for title, codes in tables.items():
        lines += ["", f"[{title}]"]
        lines += [f"{_quoted(code)} = {_quoted(words)}" for code, words in sorted(codes.items())]
    return "\n".join(lines) + "\n"


def from_eu(data: bytes) -> ValueSet:
    """Return a set as the EU publishes it; `BadInput`, which says where, if it is another thing."""
    try:
        published = json.loads(data)
    except (ValueError, RecursionError):
        published = None
    if not isinstance(published, dict):
        raise BadInput({"value set": "not_json"})
    name, day = published.get("valueSetId"), published.get("valueSetDate")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadInput({"valueSetId": "not_a_name"})
    try:
        dated = date.fromisoformat(str(day)[: len("YYYY-MM-DD")])
    except ValueError:
        raise BadInput({"valueSetDate": "not_a_date"}) from None
    return ValueSet(name, dated, _codes(published.get("valueSetValues")))


def renewed(held: ValueSet | None, published: ValueSet) -> ValueSet:
    """Return the set that a published edition makes of ours.

    Codes that are new come with the EU's words. Those we have keep our own, in every language;
    those no longer published stay, because certificates hold them.

    Raises:
        BadInput: What is published is older than what we follow.
    """
    if held is None:
        return published
    if published.dated < held.dated:
        raise BadInput({"valueSetDate": "older"})
    return ValueSet(
        held.name, published.dated, {**published.codes, **held.codes}, held.words, held.about
    )


def _codes(values: object) -> dict[str, str]:
    """Return the codes of a published set; `BadInput` if one has no words to be seen."""
    if not isinstance(values, dict) or not values:
        raise BadInput({"valueSetValues": "missing"})
    found = {code: _display(value) for code, value in values.items()}
    wrong = [code for code, display in found.items() if not (code and display)]
    wrong += [code for code, display in found.items() if not (code + display).isprintable()]
    if wrong:
        raise BadInput({f"valueSetValues.{code}": "no_words" for code in wrong})
    return found


def _display(value: Any) -> str:  # noqa: ANN401 - whatever the file has there
    words = value.get("display") if isinstance(value, dict) else None
    return words.strip() if isinstance(words, str) else ""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
