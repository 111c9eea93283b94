"""Words, dates and direction in the language of the reader."""

from __future__ import annotations

from datetime import UTC, date, datetime
from gettext import GNUTranslations
from io import BytesIO

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from healthcert import i18n

ARABIC = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : "
"n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5);\\n"

msgid "Back"
msgstr "رجوع"

msgid "%(num)s dose"
msgid_plural "%(num)s doses"
msgstr[0] "لا جرعات"
msgstr[1] "جرعة واحدة"
msgstr[2] "جرعتان"
msgstr[3] "%(num)s جرعات"
msgstr[4] "%(num)s جرعة"
msgstr[5] "%(num)s جرعة"
"""
EVENING = datetime(2026, 3, 11, 23, 40, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _english():
    with i18n.use("en"):
        yield


@pytest.fixture
def arabic(monkeypatch):
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(ARABIC.encode()), locale="ar"))
    compiled.seek(0)
    words = GNUTranslations(compiled)
    monkeypatch.setattr(i18n, "_catalogue", lambda _code: words)
    with i18n.use("ar"):
        yield


def test_leaving_a_language_brings_back_the_one_before():
    with i18n.use("fr"):
        with i18n.use("ar"):
            assert i18n.language() == "ar"
        assert i18n.language() == "fr"
    assert i18n.language() == "en"


def test_a_language_set_without_a_block_stays():
    i18n.use("ar")
    assert i18n.language() == "ar"


def test_arabic_and_urdu_are_written_from_the_right_and_french_is_not():
    assert [i18n.direction(code) for code in ("ar", "ur", "fr", "en")] == [
        "rtl",
        "rtl",
        "ltr",
        "ltr",
    ]
    with i18n.use("ar"):
        assert i18n.direction() == "rtl"


@pytest.mark.parametrize("code", ["zz", "tlh", "../../etc", "", "x" * 300])
def test_a_language_nobody_knows_is_answered_in_english(code):
    with i18n.use(code):
        assert i18n.gettext("Zebra crossing of %(town)s", town="Rabat") == "Zebra crossing of Rabat"
        assert i18n.ngettext("%(num)s dose", "%(num)s doses", 2) == "2 doses"
        assert i18n.format_date(date(2026, 3, 12)) == "12 March 2026"
        assert i18n.direction() == "ltr"


@pytest.mark.usefixtures("arabic")
def test_the_empty_message_is_empty_and_not_the_header_of_the_catalogue():
    assert i18n.gettext("") == ""


@pytest.mark.usefixtures("arabic")
def test_a_message_is_given_in_the_language_spoken():
    assert i18n.gettext("Back") == "رجوع"


@pytest.mark.usefixtures("arabic")
def test_arabic_has_its_own_form_for_none_one_two_few_and_many():
    said = [i18n.ngettext("%(num)s dose", "%(num)s doses", n) for n in (0, 1, 2, 3, 11)]
    assert said == ["لا جرعات", "جرعة واحدة", "جرعتان", "3 جرعات", "11 جرعة"]


@pytest.mark.usefixtures("arabic")
def test_a_lazy_message_speaks_when_it_is_shown():
    label = i18n.lazy("Back")
    assert f"{label}" == str(label) == "رجوع"
    assert f"{label:>6}" == "  رجوع"
    assert label == i18n.lazy("Back")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("ar", "ar"),
        ("fr-CA,en;q=0.8", "fr"),
        ("de, ar;q=0.5, fr;q=0.7", "fr"),
        ("en;q=0, fr;q=0.1", "fr"),
        ("FR", "fr"),
        ("fr;q=banana, ar;q=0.2", "ar"),
        (";;;,,,=%00", "en"),
        ("*", "en"),
    ],
)
def test_the_best_language_is_the_one_asked_for_that_we_speak(header, language):
    assert i18n.best(header, ("en", "fr", "ar")) == language


def test_a_regional_language_of_ours_is_found_by_its_tag():
    assert i18n.best("pt-BR", ("en", "pt_BR")) == "pt_BR"


def test_each_language_is_named_in_itself():
    assert i18n.names(("en", "fr", "ar")) == {"en": "English", "fr": "Français", "ar": "العربية"}


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [
        ("en", "12 March 2026", "Thursday, 12 March 2026, 00:40"),
        ("fr", "12 mars 2026", "jeudi 12 mars 2026, 00:40"),
        ("ar", "12 مارس 2026", "الخميس، 12 مارس 2026، 12:40 ص"),
    ],
)
def test_a_moment_is_told_by_the_clock_of_the_place(language, day, moment):
    with i18n.use(language):
        assert i18n.format_date(EVENING, "Europe/Paris") == day
        said = i18n.format_datetime(EVENING, "Europe/Paris")
    assert said.replace("\u202f", " ").replace("\xa0", " ") == moment


def test_the_first_of_a_month_is_an_ordinal_in_french():
    first = date(2027, 1, 1)
    with i18n.use("fr"):
        assert i18n.format_date(first, length="full") == "vendredi 1er janvier 2027"
        assert i18n.format_date(first, length="medium") == "1er janv. 2027"
        assert i18n.format_date(date(2027, 1, 11)) == "11 janvier 2027"


def test_the_time_is_told_by_the_clock_of_the_place():
    assert i18n.format_time(EVENING, "Europe/Paris") == "00:40"
    assert i18n.format_time(EVENING) == "23:40"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("1985-03-12", "12 March 1985"),
        ("1985-03", "March 1985"),
        ("1985", "1985"),
        ("", ""),
        ("1985-13-12", "1985-13-12"),
    ],
)
def test_a_day_is_told_as_far_as_it_is_known(told, shown):
    assert i18n.format_known(told) == shown


@pytest.mark.parametrize(
    ("language", "day"), [("en", "3 Feb 1971"), ("fr", "3 févr. 1971"), ("ar", "3 فبراير 1971")]
)
def test_a_month_is_a_word_in_a_list_too(language, day):
    with i18n.use(language):
        assert i18n.format_date(date(1971, 2, 3), length="medium") == day


def test_a_month_is_told_in_the_language_spoken():
    with i18n.use("fr"):
        assert i18n.format_known("1985-03") == "mars 1985"
        assert i18n.format_known("1985-02", length="medium") == "févr. 1985"


def test_a_day_needs_no_clock():
    assert i18n.format_date(date(1971, 2, 3), length="full") == "Wednesday, 3 February 1971"
