"""What a doctor is told of a wrong file: which field, what is wrong, what to do."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from healthcert.data import checking
from healthcert.data.knowledge import Source, source_of, sources, sources_in
from healthcert.errors import BadKnowledge
from healthcert.policy.eligibility import TOLD

LANGUAGES = ("en", "fr", "ar")
FOLDER = Path(__file__).parent / "yellow_fever"
OURS = [source for kind in ("vaccine", "programme", "country") for source in sources(kind)]


def changed(kind: str, name: str, way: str, value: object) -> list[Source]:
    """Return our files, with one field of one of them changed; `...` takes it away."""
    found = copy.deepcopy(OURS)
    source = next(each for each in found if (each.kind, each.name) == (kind, name))
    at: Any = source.content
    *steps, last = [int(step) if step.isdigit() else step for step in way.split(".")]
    for step in steps:
        at = at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return found


def test_nothing_is_wrong_with_our_own_files_nor_with_those_of_the_tests():
    assert checking.faults(OURS, LANGUAGES) == []
    more = [each for kind in ("vaccine", "programme") for each in sources_in(FOLDER, kind)]
    assert checking.faults(more, LANGUAGES) == []


BAND = {"min_age_years": 12, "below_years": 18}
TABLE = [
    ("vaccine", "comirnaty", "name", ..., "name", "missing"),
    ("vaccine", "comirnaty", "series", 3, "series", "table of its own"),
    ("vaccine", "comirnaty", "name", " ", "name", "not empty"),
    ("vaccine", "comirnaty", "targets", [], "targets", "list of texts"),
    ("vaccine", "comirnaty", "targets", ["1", "1"], "targets", "each once"),
    ("vaccine", "comirnaty", "questions", [], "questions", "double square"),
    ("vaccine", "comirnaty", "questions.0", "ask", "questions[1]", "table of its own"),
    ("vaccine", "comirnaty", "series.doses", 0, "series.doses", "from 1 to 9"),
    ("vaccine", "comirnaty", "series.doses", True, "series.doses", "whole number"),
    ("vaccine", "comirnaty", "series.doses", "two", "series.doses", "whole number"),
    ("vaccine", "comirnaty", "series.min_intervall_days", 21, "series.min_intervall_days",
     "Did you mean min_interval_days?"),
    ("vaccine", "comirnaty", "series.xyz", 21, "series.xyz", "Known: doses"),
    ("vaccine", "comirnaty", "series.target_interval_days", 20, "series.target_interval_days",
     "least ≤ target ≤ most"),
    ("vaccine", "comirnaty", "series.max_interval_days", 20, "series.target_interval_days",
     "least ≤ target ≤ most"),
    ("vaccine", "comirnaty", "series.booster_target_days", 80, "series.booster_target_days",
     "before it may be given"),
    ("vaccine", "comirnaty", "series.bands", [BAND, {**BAND, "min_age_years": 19}],
     "series.bands[2]", "gap or overlap"),
    ("vaccine", "comirnaty", "series.bands", [{**BAND, "min_age_years": 11}], "series.bands[1]",
     "gap or overlap"),
    ("vaccine", "comirnaty", "series.below_years", 12, "series", "Nobody is of this age"),
    ("vaccine", "comirnaty", "series.min_interval_days", 0, "series.min_interval_days",
     "no interval"),
    ("vaccine", "jcovden", "series.when_late", "restart", "series.when_late", "must say when"),
    ("vaccine", "comirnaty", "vp", ..., "vp", "neither"),
    ("vaccine", "comirnaty", "vp", "1157024006", "vp", "do not go together"),
    ("vaccine", "comirnaty", "ma", "ORG-100001417", "ma", "do not go together"),
    ("vaccine", "comirnaty", "code", "EU/1/20/9999", "code", "do not go together"),
    ("vaccine", "comirnaty", "after", [{"product": "Sputnick", "min_interval_days": 9}],
     "after[1].product", "No vaccine has the code Sputnick"),
    ("vaccine", "comirnaty", "gtins", ["00359267100024"], "gtins[1]", "no GTIN"),
    ("vaccine", "comirnaty", "gtins", ["00359676580157"], "gtins[1]", "another vaccine"),
    ("vaccine", "comirnaty", "storage.fridge.least", 8, "storage.fridge.least", "not below"),
    ("vaccine", "comirnaty", "storage.fridge", ..., "storage.fridge", "missing"),
    ("vaccine", "comirnaty", "storage.freezer", ..., "vial.thaw_days", "never was frozen"),
    ("vaccine", "comirnaty", "vial.open_hours", 673, "vial.open_hours", "from 1 to 672"),
    ("vaccine", "comirnaty", "vial.doses", 0, "vial.doses", "from 1"),
    ("vaccine", "comirnaty", "vial.vvm", "yes", "vial.vvm", "true or false"),
    ("vaccine", "comirnaty", "questions.0.ask.ar", ..., "questions[1].ask.ar", "language"),
    ("vaccine", "comirnaty", "questions.1.code", "severe_reaction_before", "questions[2].code",
     "twice"),
    ("vaccine", "comirnaty", "questions.1.defer_days", ..., "questions[2].defer_days", "how many"),
    ("vaccine", "comirnaty", "questions.0.when_yes", "forbid", "questions[1].when_yes",
     "one of the words"),
    ("programme", "covid19", "products.0", "EU/1/20/9999", "products[1]", "There is no vaccine"),
    ("programme", "covid19", "disease", "16541001", "products[1]", "does not protect from"),
    ("programme", "covid19", "phases.0.opens_on", "soon", "phases[1].opens_on", "2026-12-01"),
    ("programme", "covid19", "phases.0.closes_on", "2020-01-01", "phases[1].closes_on", "ends"),
    ("programme", "covid19", "phases.0.names.fr", "", "phases[1].names.fr", "language"),
    ("programme", "covid19", "phases.0.admits", "all", "phases[1].admits", "for everybody"),
    ("programme", "covid19", "phases.0.admits.nationality", ["XX"],
     "phases[1].admits.nationality", "papers or status"),
    ("programme", "covid19", "phases.0.admits.hair", ["red"], "phases[1].admits.hair",
     "not known. Known: region"),
    ("programme", "covid19", "phases.0.admits.age", {"from": 5}, "phases[1].admits.age.from",
     "Known: from_years"),
    ("programme", "covid19", "phases.0.admits.doses", {}, "phases[1].admits.doses", "not empty"),
    ("programme", "covid19", "phases.0.admits.doses", {"at_least": -1},
     "phases[1].admits.doses.at_least", "from 0"),
    ("programme", "covid19", "phases.0.admits.pregnant", "yes", "phases[1].admits.pregnant",
     "true or false"),
    ("programme", "covid19", "phases.0.admits.any", [{"region": []}],
     "phases[1].admits.any[1].region", "list of texts"),
    ("programme", "covid19", "phases.0.admits.not", [], "phases[1].admits.not", "table of its own"),
    ("country", "xx", "consent.deciders", [{"who": "self", "from_years": 16}],
     "consent.deciders", "At 0 years of age nobody may decide"),
    ("country", "xx", "code", "FR", "consent.source", "its law or guideline"),
    ("country", "xx", "consent", ..., "consent", "missing"),
    ("country", "xx", "code", "QQ", "code", "ISO 3166-1"),
    ("country", "xx", "time_zone", "Asia/Beyrouth", "time_zone", "Africa/Dakar"),
    ("country", "xx", "languages", ["en", "français"], "languages", "ISO 639-1"),
    ("country", "xx", "languages", [], "languages", "list of languages"),
    ("country", "xx", "certificates.uvci_issuer", "Min. Health", "certificates.uvci_issuer",
     "capital letters"),
    ("country", "xx", "certificates.revocation_published", "yes",
     "certificates.revocation_published", "true or false"),
    ("country", "xx", "towns.0.region", "east", "towns[1].region", "There is no region east"),
    ("country", "xx", "towns.0.latitude", 133.9, "towns[1].latitude", "from -90 to 90"),
    ("country", "xx", "identity_kinds", ["library"], "identity_kinds", "words this field knows"),
    ("country", "xx", "holidays.1.on", "2026-12-25", "holidays", "Sort them"),
    ("country", "xx", "adverse_events.serious_hours", 0, "adverse_events.serious_hours", "from 1"),
    ("country", "xx", "adverse_events.source", "", "adverse_events.source", "text"),
    ("country", "xx", "code", "FR", "adverse_events.source", "its law or guideline"),
    ("country", "xx", "consent_age_years", -1, "consent_age_years", "from 0 to 25"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "way", "value", "field", "words"), TABLE)
def test_each_fault_names_file_and_field_and_says_what_to_do(kind, name, way, value, field, words):
    found = checking.faults(changed(kind, name, way, value), LANGUAGES)
    assert field in [fault.field for fault in found]
    assert {fault.file for fault in found} <= {f"{kind} {name}.toml", "programme covid19.toml"}
    told = " ".join(str(fault) for fault in found if fault.field == field)
    assert words in told


@pytest.mark.parametrize(
    ("way", "value"),
    [
        ("after", [{"product": "EU/1/20/1525", "min_interval_days": 28}]),
        ("series.bands", [BAND, {"min_age_years": 18, "doses": 1}]),
        ("series.booster_target_days", 180),
        ("series.when_late", "restart"),
    ],
)
def test_what_a_doctor_may_write_is_in_order(way, value):
    assert checking.faults(changed("vaccine", "comirnaty", way, value), LANGUAGES) == []


def asking(admits: dict[str, Any], answers: dict[str, Any]) -> list[Source]:
    """Return our files, with a programme whose phase asks for something and calls its codes so."""
    found = changed("programme", "covid19", "phases.0.admits", admits)
    content = next(each for each in found if each.name == "covid19").content
    content |= {"answers": answers} if answers else {}
    return found


WORDS = dict.fromkeys(LANGUAGES, "A")


def test_a_phase_may_ask_each_thing_that_is_told_of_a_person():
    for field in set(TOLD) - {"pregnant", "region"}:
        found = asking({field: ["a"]}, {field: {"a": WORDS}})
        assert checking.faults(found, LANGUAGES) == []
    for admits in ({"region": ["coast"]}, {"pregnant": True}, {"pregnant": False}):
        assert checking.faults(asking(admits, {}), LANGUAGES, "XX") == []


@pytest.mark.parametrize(
    ("admits", "answers", "field", "words"),
    [
        ({"not": {"any": [{"risk": ["heart"]}]}}, {}, "answers.risk.heart", "Add its words"),
        ({"occupation": ["a", "b"]}, {"occupation": {"a": WORDS}}, "answers.occupation.b",
         "The phase everybody asks for it"),
        ({"district": ["a"]}, {"district": {"a": WORDS | {"ar": ""}}}, "answers.district.a.ar",
         "This language is missing"),
        ({}, {"district": {"a": "A"}}, "answers.district.a", "a text for each language"),
        ({}, {"district": {}}, "answers.district", "a table of codes, each with its words"),
        ({}, {"region": {"coast": WORDS}}, "answers.region", "Known: district, occupation, risk"),
        ({"all": [{"region": ["coast", "east"]}]}, {}, "phases[1].admits",
         "There is no region east. Known: coast, mountain, north"),
    ],
)  # fmt: skip
def test_what_a_phase_asks_for_can_be_chosen_by_whoever_reads_a_language(
    admits, answers, field, words
):
    for country in ("", "XX"):
        [fault] = checking.faults(asking(admits, answers), LANGUAGES, country)
        assert (fault.file, fault.field) == ("programme covid19.toml", field)
        assert words in fault.says


def test_the_regions_are_those_of_the_country_where_the_files_are_used():
    sources = asking({"region": ["coast"]}, {})
    [ours] = [each for each in sources if each.kind == "country"]
    content = ours.content | {"code": "FR", "regions": [{"code": "north", "names": WORDS}]}
    content["towns"] = [each | {"region": "north"} for each in ours.content["towns"]]
    sources.append(replace(ours, name="fr", content=content))

    def said(country: str) -> list[str]:
        found = checking.faults(sources, LANGUAGES, country)
        return [fault.field for fault in found if fault.file.startswith("programme")]

    assert (said("XX"), said("FR"), said("")) == ([], ["phases[1].admits"], [])


def test_a_series_of_boosters_says_both_days():
    wrong = changed("vaccine", "comirnaty", "series.booster_target_days", 180)
    del next(each for each in wrong if each.name == "comirnaty").content["series"][
        "booster_interval_days"
    ]
    assert "none is foreseen" in str(checking.faults(wrong, LANGUAGES)[0])


def test_a_file_that_is_no_toml_says_where():
    with pytest.raises(BadKnowledge, match=r"new\.toml cannot be read: .*line 2"):
        source_of("vaccine", "new", b"name = 1\ncode = \n")
    with pytest.raises(BadKnowledge, match="cannot be read"):
        source_of("vaccine", "new", b"\xff")
