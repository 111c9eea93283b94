"""Say what is wrong with a knowledge file: which field, in a sentence, and what to do.

`schema.toml` says what may stand in a file; what its fields mean together is asked here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from healthcert.data import meaning
from healthcert.data.knowledge import Source
from healthcert.data.meaning import Wrong

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file.

    Attributes:
        file: ``vaccine comirnaty.toml``.
        field: The way to it, such as ``series.bands[2].doses``; counted from 1.
        says: What is wrong.
        advice: What to do.
    """

    file: str
    field: str
    says: str
    advice: str

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{self.file}: {self.field}: {self.says} {self.advice}"


def faults(sources: Sequence[Source], languages: Collection[str]) -> list[Fault]:
    """Return what is wrong with files that are used together, file by file.

    Args:
        sources: The files; a programme's products are looked for among them.
        languages: Those in which every text must stand; a country's own files name theirs.
    """
    found = []
    known = {source.content.get("code"): source.content for source in sources}
    for source in sources:
        told = source.content.get("languages", languages)
        wanted = told if _PLAIN["languages"](told, ()) else languages
        wrong = list(_shape(source.content, source.kind, "", wanted))
        wrong = wrong or list(getattr(meaning, source.kind)(source.content, known))
        name = f"{source.kind} {source.name}.toml"
        found += [Fault(name, field, says, advice) for field, says, advice in wrong]
    return found


@cache
def _schema() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(files("healthcert").joinpath("data/schema.toml").read_text("utf-8"))


def _shape(table: Table, kind: str, way: str, languages: Collection[str]) -> Iterator[Wrong]:
    fields = {name.rstrip("?"): rule for name, rule in _schema()[kind].items()}
    for name in table:
        if name not in fields:
            near = get_close_matches(name, fields, 1)
            advice = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(fields)}."
            yield way + name, "This field is not known.", advice
    for name in _schema()[kind]:
        if name not in table and not name.endswith("?"):
            yield way + name, "This field is missing.", f"Add it: {_told(fields[name])}."
    for name, rule in fields.items():
        if name in table:
            yield from _value(table[name], rule, way + name, languages)


def _value(value: object, rule: str, way: str, languages: Collection[str]) -> Iterator[Wrong]:
    kind, *words = rule.split()
    if kind == "tables" and isinstance(value, list) and value:
        for place, each in enumerate(value, 1):
            yield from _value(each, f"table {words[0]}", f"{way}[{place}]", languages)
    elif kind == "table" and isinstance(value, dict):
        yield from _shape(value, words[0], f"{way}.", languages)
    elif kind == "words" and isinstance(value, dict):
        missing = [language for language in languages if not _is_text(value.get(language))]
        advice = "Add the words of a translator."
        yield from ((f"{way}.{each}", "This language is missing.", advice) for each in missing)
    elif kind == "asks" and isinstance(value, dict):
        yield from meaning.asks(value, way)
    elif kind not in _PLAIN or not _PLAIN[kind](value, words):
        yield way, f"This is {value!r}.", f"It must be: {_told(rule)}."


def _told(rule: str) -> str:
    kind, *words = rule.split()
    return _TOLD[kind].format(*words)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_day(value: object) -> bool:
    try:
        return bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


def _within(value: object, words: Sequence[str], *kinds: type) -> bool:
    return (
        isinstance(value, kinds)
        and not isinstance(value, bool)
        and float(words[0]) <= float(value) <= float(words[1])  # type: ignore[arg-type]
    )


_PLAIN: Mapping[str, Callable[[Any, Sequence[str]], bool]] = {
    "text": lambda value, _words: _is_text(value),
    "flag": lambda value, _words: isinstance(value, bool),
    "day": lambda value, _words: _is_day(value),
    "number": lambda value, words: _within(value, words, int),
    "decimal": lambda value, words: _within(value, words, int, float),
    "choice": lambda value, words: value in words,
    "list": lambda value, _words: (
        isinstance(value, list)
        and bool(value)
        and all(map(_is_text, value))
        and len(set(value)) == len(value)
    ),
    "languages": lambda value, _words: (
        bool(value)
        and all(isinstance(each, str) and re.fullmatch("[a-z]{2}", each) for each in value)
    ),
    "codes": lambda value, words: (
        isinstance(value, list) and bool(value) and set(value) <= {*words}
    ),
}
_TOLD = {
    "text": "a text in quotation marks, not empty",
    "flag": "true or false",
    "day": "a date such as 2026-12-01",
    "number": "a whole number from {0} to {1}",
    "decimal": "a number from {0} to {1}",
    "choice": "one of the words this field knows, such as {0}",
    "list": "a list of texts in square brackets, each once",
    "languages": 'a list of languages, two small letters each, such as "fr" (ISO 639-1)',
    "codes": "a list of words this field knows, such as {0}",
    "table": "a table of its own",
    "tables": "one or more tables in double square brackets",
    "words": "a text for each language",
    "asks": "a table of what is asked, or {{}} for everybody",
}
