"""Names in the letters of a passport."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.hcert.names import LONGEST, left_out, standardise


@pytest.mark.conformance
def test_every_undisputed_name_of_the_public_data_is_written_as_its_issuer_wrote_it(conformance):
    rows = map(json.loads, (conformance / "names.jsonl").read_text("utf-8").splitlines())
    pairs = [row for row in rows if "disputed" not in row]
    wrong = [row for row in pairs if standardise(row["name"]) != row["standard"]]
    assert wrong == [], f"{len(pairs) - len(wrong)} of {len(pairs)} names"


@given(st.text(max_size=120))
def test_whatever_is_written_the_result_obeys_the_schema(name):
    assert re.fullmatch(r"([A-Z]+(<[A-Z]+)*)?", standardise(name))
    assert len(standardise(name)) <= LONGEST


@given(st.from_regex(r"[A-Z]{1,20}(<[A-Z]{1,20}){0,2}", fullmatch=True))
def test_a_name_from_a_passport_stays_as_it_is(name):
    assert standardise(name.replace("<", " ")) == name


@given(st.text(max_size=40))
def test_composed_and_decomposed_text_give_one_name(name):
    composed, apart = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert standardise(composed) == standardise(apart)


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("محمد", "MXHMD"),
        ("محمّد", "MXHMMD"),
        ("فاطمة الزهراء", "FAXTTMXAH<ALZHRAXE"),
        ("فاطمةُ", "FAXTTMXAH"),
        ("فاطمةن", "FAXTTMXTAN"),
        ("O'Connor", "OCONNOR"),
        ("Anne–Marie,  d’Arc", "ANNE<MARIE<DARC"),
        ("Иванов", "IVANOV"),
        ("Ευάγγελος", "EVANGELOS"),
        ("Μπάμπης Ευκλείδης Παπανδρέου", "BAMPIS<EFKLEIDIS<PAPANDREOU"),
        ("Μπάμπ", "BAB"),
        ("ＴＡＮ", "TAN"),
        ("µ", ""),
        ("", ""),
        ("Nguyễn Thị", "NGUYEN<THI"),
    ],
)
def test_a_name_is_written_as_the_tables_say(name, standard):
    assert standardise(name) == standard


@pytest.mark.parametrize(
    ("language", "name", "standard"),
    [
        ("uk", "Юрій Гончаренко", "YURII<HONCHARENKO"),
        ("be", "Ёгар", "IOHAR"),
        ("bg", "Щерев", "SHTEREV"),
        ("sr", "Живковић", "ZIVKOVIC"),
        ("mk", "Ѓорѓи", "GJORGJI"),
        (None, "Юрий Щёголев", "IURII<SHCHEGOLEV"),
    ],
)
def test_a_language_changes_the_letters_its_footnote_names(language, name, standard):
    assert standardise(name, language=language) == standard


@pytest.mark.parametrize("sign", [chr(point) for point in range(0x064B, 0x0653)])
def test_a_vowel_sign_does_not_keep_a_teh_marbuta_from_being_last(sign):
    assert standardise(f"فاطمة{sign}").endswith("XAH")


def test_a_letter_without_capitals_and_without_a_table_is_named():
    assert left_out("ƍ") == "ƍ"


def test_a_long_name_ends_with_a_letter():
    assert standardise("A" * 79 + " BC") == "A" * 79


def test_letters_without_a_published_table_are_named_once_and_left_out():
    assert standardise("Վարդան Smith ვა") == "SMITH"
    assert left_out("ՎԱՎ Smith") == "ՎԱ"
    assert left_out("😀 Müller, ب Ω Ж 12") == ""


@given(st.text(max_size=60))
def test_a_name_without_letters_left_out_loses_no_letter(name):
    letters = [c for c in name if unicodedata.category(c) in ("Lu", "Ll", "Lt", "Lo")]
    if letters and not standardise(name):
        assert left_out(name) or all(c in "ьЬµڜڢڧڨ" for c in letters)
