"""Collect the words of the pages and keep every language's catalogue beside them.

    python tools/words.py               collect, update each catalogue, tell what is missing
    python tools/words.py --new pt      begin a language
    python tools/words.py --missing ar  list what a language still lacks, one message a line
    python tools/words.py --compile     make of each catalogue what the service reads

English is written in the source and is its own key. Nothing is guessed: a changed sentence
loses its translation, because a sentence that nearly fits is wrong on a medical page.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "healthcert" / "translations"
SOURCE = "en"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy": None,
    "ngettext": (1, 2),
    "trans": None,
}
# Dates in a header would make every run a change, and every two branches a conflict.
_NOISE = re.compile(
    rb'^"(Project-Id|Report-Msgid|POT-Creation|PO-Revision|Last-Trans|Language-Team|Generated-By)'
    rb".*\n",
    re.MULTILINE,
)
_Found = tuple[int, str, str, list[str]]
_PLACE = re.compile(r"%\((\w+)\)")


def languages() -> list[str]:
    """Return the languages that have a catalogue."""
    return sorted(path.parent.parent.name for path in CATALOGUES.glob("*/LC_MESSAGES/messages.po"))


def place(language: str) -> Path:
    """Return where a language's catalogue is kept."""
    return CATALOGUES / language / "LC_MESSAGES" / "messages.po"


def labels(file: BinaryIO, *_: object, **_more: object) -> Iterator[_Found]:
    """Give the messages of a file of labels, as Babel asks for them: no colours, no numbers."""
    for table in tomllib.load(file).values():
        for told in table.values():
            words = told[0] if isinstance(told, list) else told
            if isinstance(words, str):
                yield 0, "_", words, []


def collect() -> Catalog:
    """Return every message of the code, of the labels and of the templates."""
    found = Catalog()
    for folder, pattern, method in (
        (ROOT / "healthcert", "**.py", "python"),
        (ROOT / "healthcert" / "data", "labels.toml", labels),
        (ROOT / "healthcert" / "data", "refusals.toml", labels),
        (ROOT / "healthcert" / "data", "messages.toml", labels),
        (ROOT / "templates", "**.html", "jinja2"),
        (ROOT / "templates", "**.txt", "jinja2"),
    ):
        for _file, _line, message, comments, context in extract_from_dir(
            folder,
            [(pattern, method)],
            options_map={pattern: {"silent": "false", "extensions": "jinja2.ext.do"}},
            keywords=KEYWORDS,
            comment_tags=("Translators:",),
            strip_comment_tags=True,
            directory_filter=lambda _folder: True,  # _components too
        ):
            found.add(message, auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    """Return a language's catalogue; an empty one where there is none yet."""
    if not place(language).is_file():
        return Catalog(locale=language)
    with place(language).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, collected: Catalog) -> Catalog:
    """Write a language's catalogue anew with the messages collected, and return it.

    Sorted by message and without line numbers, so that two branches seldom meet in a line. That
    of English holds only what a country says otherwise than the source.
    """
    known = read(language)
    header = f"# The words of healthcert in {language}."
    fresh = Catalog(locale=language, header_comment=header, fuzzy=False)
    # The plural rule is the file's own: it says which form stands at which place in it.
    fresh.mime_headers = [("Plural-Forms", known.plural_forms)]
    for message in collected:
        said = known.get(message.id, context=message.context)
        if message.id and (language != SOURCE or (said and any(said.string))):
            fresh.add(
                message.id,
                said.string if said else None,
                context=message.context,
                auto_comments=message.auto_comments,
            )
    written = BytesIO()
    write_po(written, fresh, no_location=True, sort_output=True, width=100)
    place(language).parent.mkdir(parents=True, exist_ok=True)
    place(language).write_bytes(_NOISE.sub(b"", written.getvalue()))
    return fresh


def lacking(catalogue: Catalog) -> list[str]:
    """Return the messages that a catalogue leaves untranslated or whose places it breaks.

    English lacks nothing: the message is its own words. Its catalogue is there for a country
    that wants other ones, and holds these alone.
    """
    if catalogue.locale_identifier == SOURCE:
        return []
    return [_english(message) for message in catalogue if message.id and not _is_whole(message)]


def compile_all() -> None:
    """Compile every catalogue into the form that is read at run time."""
    for language in languages():
        with place(language).with_suffix(".mo").open("wb") as file:
            write_mo(file, read(language))


def _english(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _is_whole(message: Message) -> bool:
    english, said = message.id, message.string or ""
    keys = [english] if isinstance(english, str) else list(english)
    forms = [said] if isinstance(said, str) else list(said)
    known = {name for key in keys for name in _PLACE.findall(key)}
    if message.fuzzy or not all(forms):
        return False
    used = [set(_PLACE.findall(form)) for form in forms]
    if len(keys) > 1:  # "one dose" may leave its number out, but nothing may be made up
        return all(names <= known for names in used)
    return used == [known]


def _told(language: str, missing: list[str]) -> str:
    return f"{language}: {len(missing)} missing" if missing else f"{language}: complete"


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(prog="python tools/words.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--new", metavar="LANGUAGE", help="begin a language")
    parser.add_argument("--missing", metavar="LANGUAGE", help="list what a language lacks")
    parser.add_argument("--compile", action="store_true", help="compile every catalogue")
    asked = parser.parse_args(arguments)
    if asked.compile:
        compile_all()
        return
    if asked.missing:
        print(*lacking(read(asked.missing)), sep="\n")
        return
    collected = collect()
    for language in sorted({*languages(), *([asked.new] if asked.new else [])}):
        missing = lacking(update(language, collected))
        print(_told(language, missing))


if __name__ == "__main__":
    main()
