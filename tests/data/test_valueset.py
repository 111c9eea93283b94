"""Value sets: our files, the words of three languages, and editions in EU form."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from healthcert.data import value_set_files, value_sets, words
from healthcert.data.valueset import ValueSet, as_toml, from_eu, from_toml, renewed
from healthcert.errors import BadInput

RESULTS = "covid-19-lab-result"
SHOWN = ("disease-agent-targeted", RESULTS, "covid-19-lab-test-type", "sct-vaccines-covid-19")
HELD = ValueSet(
    RESULTS,
    date(2021, 4, 27),
    {"260373001": "Detected", "old": "Gone since"},
    {"fr": {"260373001": "Détecté"}},
    ("What a test found.",),
)
FOLDER = files("healthcert") / "data" / "valuesets"


def edition(codes=None, **changes):
    codes = {"260373001": "found", "new": " New "} if codes is None else codes
    values = {
        code: {"display": shown, "lang": "en", "active": True, "system": "", "version": ""}
        for code, shown in codes.items()
    }
    whole = {"valueSetId": RESULTS, "valueSetDate": "2022-01-01", "valueSetValues": values}
    return json.dumps(whole | changes).encode()


@pytest.mark.parametrize("name", sorted(entry.name for entry in FOLDER.iterdir()))
def test_every_file_of_ours_is_written_as_we_would_write_it(name):
    text = (FOLDER / name).read_text("utf-8")
    found = from_toml(text)
    assert as_toml(found) == text
    assert name == f"{found.name}.toml"


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("language", ["fr", "ar"])
def test_what_our_pages_show_has_words_in_every_language(name, language):
    own = value_set_files()[name].words[language]
    assert own.keys() == value_sets()[name].keys()
    assert all(own.values())
    assert words(name, language) == own


def test_what_is_the_same_everywhere_is_in_english():
    assert words("vaccines-covid-19-names", "ar")["EU/1/20/1528"] == "Comirnaty"
    assert words(RESULTS, "pt") == value_sets()[RESULTS]


def test_a_newer_edition_adds_codes_and_takes_no_code_and_no_word_of_ours_away():
    found = renewed(HELD, from_eu(edition()))
    assert found == ValueSet(
        RESULTS,
        date(2022, 1, 1),
        {"260373001": "Detected", "old": "Gone since", "new": "New"},
        HELD.words,
        HELD.about,
    )


def test_a_set_we_do_not_have_comes_as_it_is():
    published = from_eu(edition(valueSetDate="2022-01-01T00:00:00Z"))
    assert renewed(None, published) == published
    assert from_toml(as_toml(published)) == published


def test_an_older_edition_is_refused():
    with pytest.raises(BadInput, match="older"):
        renewed(HELD, from_eu(edition(valueSetDate="2020-01-01")))


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "value set"),
        (b"[]", "value set"),
        (b"[" * 100_000, "value set"),
        (edition(valueSetId="../x"), "valueSetId"),
        (edition(valueSetId=None), "valueSetId"),
        (edition(valueSetDate=None), "valueSetDate"),
        (edition(valueSetDate="yesterday"), "valueSetDate"),
        (edition(valueSetValues=[]), "valueSetValues"),
        (edition({}), "valueSetValues"),
        (edition(valueSetValues={"a": "text"}), "valueSetValues.a"),
        (edition({"a": 1}), "valueSetValues.a"),
        (edition({"": "words"}), "valueSetValues."),
        (edition({"a": "two\nlines"}), "valueSetValues.a"),
    ],
)
def test_what_is_no_edition_is_refused_by_the_place_at_fault(data, place):
    with pytest.raises(BadInput) as refusal:
        from_eu(data)
    assert list(refusal.value.fields) == [place]


@pytest.mark.conformance
def test_our_codes_are_the_published_ones(conformance: Path):
    published = json.loads((conformance / "value_sets.json").read_text("utf-8"))
    del published["vaccine-encoding-instructions"]  # which codes go together, not a set
    for whole in published.values():
        edition = from_eu(json.dumps(whole).encode())
        held = value_set_files()[edition.name]
        assert held.codes.keys() >= edition.codes.keys()
        assert held.dated >= edition.dated
