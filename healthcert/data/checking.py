"""Say what is wrong with a knowledge file: which field, and in a sentence what to do.

`schema.toml` says what may stand in a file; what its fields mean together, `data.meaning`.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any, NamedTuple

from healthcert.data import meaning, table
from healthcert.data.knowledge import Source
from healthcert.data.meaning import Content, Wrong
from healthcert.errors import BadSettings

_SCHEMA: Mapping[str, Mapping[str, str]] = table("schema")


class Fault(NamedTuple):
    """What is wrong with a file, and what to do.

    `file` is such as ``vaccine comirnaty.toml``; `field` the way to it from there, such as
    ``series.bands[2].doses``, counted from 1.
    """

    file: str
    field: str
    says: str

    def __str__(self) -> str:
        """Return it as a line."""
        return ": ".join(self)


def faults(
    sources: Sequence[Source], languages: Collection[str], country: str = ""
) -> list[Fault]:  # fmt: skip
    """Return what is wrong with files that are used together, file by file.

    Every text must stand in the `languages`; a country's own files name theirs. A phase may ask for
    the regions of the `country` they are used in; where none is said, of any that is among them.
    """
    found = []
    used = [each for each in sources if each.kind != "country" or _is_used(each, country)]
    known = {source.content.get("code"): source.content for source in used}
    for source in sources:
        told = source.content.get("languages", languages)
        wanted = told if _HOLDS["languages"](told, ()) else languages
        wrong = list(_shape(source.content, source.kind, "", wanted))
        wrong = wrong or list(getattr(meaning, source.kind)(source.content, known))
        found += [Fault(f"{source.kind} {source.name}.toml", *each) for each in wrong]
    return found


def entries(kind: str, text: str | None = None) -> Mapping[str, Content]:
    """Return the tables of a TOML text, or of our file of a kind; each as ``schema.toml`` has it.

    Raises:
        BadSettings: It cannot be read, or an entry is not so; the message names the file and where.
    """
    try:
        tables = table(kind) if text is None else tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{kind}.toml cannot be read: {error}") from None
    for name, entry in tables.items():
        for field, says in misfits(entry, f"table {kind}", name):
            raise BadSettings(f"{kind}.toml: {field}: {says}")
    return tables


def misfits(
    value: Any,  # noqa: ANN401 - whatever the file holds
    rule: str,
    way: str,
    languages: Collection[str] = (),
) -> Iterator[Wrong]:
    """Yield where a value is not as a rule has it, one of those in ``schema.toml``."""
    kind, *words = rule.split()
    if not _HOLDS[kind](value, words):
        yield way, f"This is {value!r}. It must be: {_told(rule)}."
    elif kind in ("tables", "named"):
        for inner in _parts(value, words, way):
            yield from misfits(*inner, languages)
    elif kind == "words":
        for language in languages:
            if not _is_text(value.get(language)):
                says = "This language is missing. Add the words of a translator."
                yield f"{way}.{language}", says
    elif kind in ("table", "open"):
        yield from _shape(value, words[0], f"{way}.", languages)


def _shape(table: Content, kind: str, way: str, languages: Collection[str]) -> Iterator[Wrong]:
    fields = {name.rstrip("?"): rule for name, rule in _SCHEMA[kind].items()}
    allowed = [name for name, rule in fields.items() if rule != "never"]
    for name in table:
        if name not in fields:
            near = get_close_matches(name, allowed, 1)
            advice = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(allowed)}."
            yield way + name, f"This field is not known. {advice}"
    for name, rule in fields.items():
        if name in table:
            yield from misfits(table[name], rule, way + name, languages)
        elif name in _SCHEMA[kind]:  # without a question mark
            yield way + name, f"This field is missing. Add it: {_told(rule)}."


def _parts(value: Any, words: Sequence[str], way: str) -> list[tuple[Any, str, str]]:  # noqa: ANN401
    """Return what stands in a list of tables, or by code; each with its rule and the way to it."""
    if isinstance(value, list):
        return [(each, f"table {words[0]}", f"{way}[{at}]") for at, each in enumerate(value, 1)]
    return [(each, "words", f"{way}.{code}") for code, each in value.items()]


def _is_used(source: Source, country: str) -> bool:
    return country in ("", source.content.get("code"))


def _told(rule: str) -> str:
    kind, *words = rule.split()
    return _SCHEMA["kinds"][kind].format(*words)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_day(value: object) -> bool:
    try:
        return bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


def _within(value: Any, words: Sequence[str], *kinds: type) -> bool:  # noqa: ANN401
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    return is_number and float(words[0]) <= value <= float(words[1])


def _are_texts(value: Any) -> bool:  # noqa: ANN401
    is_list = isinstance(value, list) and bool(value)
    return is_list and all(map(_is_text, value)) and len({*value}) == len(value)


_HOLDS: Mapping[str, Callable[[Any, Sequence[str]], bool]] = {
    "text": lambda value, _words: _is_text(value),
    "words": lambda value, _words: isinstance(value, dict),
    "flag": lambda value, _words: isinstance(value, bool),
    "day": lambda value, _words: _is_day(value),
    "number": lambda value, words: _within(value, words, int),
    "decimal": lambda value, words: _within(value, words, int, float),
    "choice": lambda value, words: value in words,
    "list": lambda value, _words: _are_texts(value),
    "codes": lambda value, words: _are_texts(value) and {*value} <= {*words},
    "languages": lambda value, _words: (
        _are_texts(value) and all(re.fullmatch("[a-z]{2}", each) for each in value)
    ),
    **dict.fromkeys(
        ("table", "named"), lambda value, _words: isinstance(value, dict) and bool(value)
    ),
    "open": lambda value, _words: isinstance(value, dict),
    "tables": lambda value, _words: isinstance(value, list) and bool(value),
    "never": lambda _value, _words: False,
}
