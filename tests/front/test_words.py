"""Words: collected from code and templates, complete in every language."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def words():
    spec = importlib.util.spec_from_file_location("words", ROOT / "tools" / "words.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def collected(words):
    return words.collect()


def catalogue(text, language="fr"):
    head = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n'
    return read_po(BytesIO((head + text).encode()), locale=language)


@pytest.mark.parametrize(
    "message",
    ["Skip to main content", "There is a problem", "Enter the day, month and year", "Full name"],
)
def test_words_of_templates_macros_and_code_are_found(collected, message):
    assert collected.get(message) is not None


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_every_message_is_in_the_catalogue_and_translated(words, collected, language):
    known = words.read(language)
    unknown = [message.id for message in collected if message.id and known.get(message.id) is None]
    assert unknown == [], "run `make words`"
    assert words.lacking(known) == []


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_no_sentence_is_said_twice_in_one_message(words, language):
    told = [text for message in words.read(language) for text in as_many(message.string)]
    assert [text for text in told if re.fullmatch(r"(.{20,}?)\1+", text, re.DOTALL)] == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(?<![\w%\u200e])[-+\u2212]\d", "a sign before a number: put U+200E before it"),
        (r"[A-Za-z0-9]:$", "a colon that belongs to a code: put U+200E behind it"),
    ],
)
def test_no_sign_of_an_arabic_sentence_moves_to_the_other_side(words, pattern, why):
    told = [text for message in words.read("ar") for text in as_many(message.string)]
    assert [text for text in told if re.search(pattern, text)] == [], why


def of_data(told, language):
    """Give the words of a language that a knowledge file holds, however deep."""
    if isinstance(told, list):
        for each in told:
            yield from of_data(each, language)
    elif isinstance(told, dict):
        for name, each in told.items():
            if name == language:
                yield from each.values() if isinstance(each, dict) else [each]
            else:
                yield from of_data(each, language)


@pytest.fixture(scope="session")
def french(words):
    """Return whatever we say in French: the catalogue's words and those of the data."""
    files = (ROOT / "healthcert" / "data").rglob("*.toml")
    data = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    catalogue = [text for it in words.read("fr") if it.id for text in as_many(it.string)]
    return catalogue + [text for text in of_data(data, "fr") if isinstance(text, str)]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"[^\u202f!?][!?]|[^\u202f\d];", "U+202F stands before ; ! ? (not between hours)"),
        (r"[^\u00a0\w]:|[^\W\d]:(?!$|//)", "U+00A0 stands before : (not in hours, codes, URLs)"),
        (r"[^\W\d_]'[^\W\d_]", "the apostrophe is U+2019"),
        ("«(?!\u00a0)|(?<!\u00a0)»", "U+00A0 stands inside « »"),
    ],
)
def test_no_sign_of_a_french_sentence_begins_a_line(french, pattern, why):
    assert len(french) > 1000
    assert [text for text in french if re.search(pattern, text)] == [], why


def as_many(told):
    return [told] if isinstance(told, str) else told


DOSES = 'msgid "%(num)s dose"\nmsgid_plural "%(num)s doses"\nmsgstr[0] "une dose"\nmsgstr[1] '


@pytest.mark.parametrize(
    ("entry", "is_whole"),
    [
        ('msgid "Back"\nmsgstr "Retour"', True),
        ('msgid "Back"\nmsgstr ""', False),
        ('#, fuzzy\nmsgid "Back"\nmsgstr "Retour"', False),
        ('msgid "To %(name)s"\nmsgstr "À %(name)s"', True),
        ('msgid "To %(name)s"\nmsgstr "À %(nom)s"', False),
        ('msgid "To %(name)s"\nmsgstr "À vous"', False),
        (DOSES + '"%(num)s doses"', True),
        (DOSES + '""', False),
        (DOSES + '"%(n)s doses"', False),
    ],
)
def test_a_translation_that_is_missing_or_breaks_a_place_is_told(words, entry, is_whole):
    assert (words.lacking(catalogue(entry)) == []) is is_whole


def test_english_lacks_nothing(words):
    assert words.lacking(catalogue('msgid "Back"\nmsgstr ""', language="en")) == []


def test_an_update_keeps_translations_and_drops_what_is_no_longer_said(
    words, collected, monkeypatch, tmp_path
):
    monkeypatch.setattr(words, "CATALOGUES", tmp_path)
    words.update("fr", collected)
    file = words.place("fr")
    text = file.read_text(encoding="utf-8").replace(
        'msgid "Skip to main content"\nmsgstr ""', 'msgid "Skip to main content"\nmsgstr "Aller"'
    )
    file.write_text(f'{text}\nmsgid "Nobody says this"\nmsgstr "Rien"\n', encoding="utf-8")
    fresh = words.update("fr", collected)
    assert fresh.get("Skip to main content").string == "Aller"
    assert "Nobody says this" not in file.read_text(encoding="utf-8")
    before = file.read_bytes()
    words.update("fr", collected)
    assert file.read_bytes() == before


def test_the_english_catalogue_holds_only_what_a_country_says_otherwise(
    words, collected, monkeypatch, tmp_path
):
    monkeypatch.setattr(words, "CATALOGUES", tmp_path)
    words.update("en", collected)
    with words.place("en").open("a", encoding="utf-8") as file:
        file.write('\nmsgid "Skip to main content"\nmsgstr "To the content"\n')
    fresh = words.update("en", collected)
    said = {message.id: message.string for message in fresh if message.id}
    assert said == {"Skip to main content": "To the content"}


def test_the_forms_of_a_plural_stay_where_the_file_has_them(words):
    assert "n%100>=11 ? 4 : 5" in words.read("ar").plural_forms
