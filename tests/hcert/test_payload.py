"""The certificate itself: what it attests, and whether it obeys its schema."""

from __future__ import annotations

import copy
import json
import random
import re
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cbor2
import pytest
from jsonschema import Draft202012Validator

from healthcert.data import value_sets
from healthcert.errors import MalformedClaims, NotUnderstood
from healthcert.hcert import (
    dcc_of,
    entries_of,
    kind_of,
    read_claims,
    schema_faults,
    value_set_faults,
)
from healthcert.hcert.cwt import Claims
from tests.hcert.barcodes import RECOVERY, TEST, VACCINATION, claims_of, dcc, without


def read(certificate: object) -> dict[str, Any]:
    return dcc_of(read_claims(claims_of(certificate)))


def test_a_certificate_comes_back_as_json_would_hold_it():
    assert read(dcc()) == json.loads(json.dumps(dcc()))


def test_null_members_and_unknown_ones_are_kept():
    certificate = dcc(t=None, meta={"url": "https://example.org", "n": [1, 2.5, True, None]})
    assert read(certificate) == certificate


def test_a_tagged_date_is_read_as_its_text():
    entry = {**TEST, "sc": cbor2.CBORTag(0, "2026-03-01T08:00:00Z")}
    assert read({**without(dcc(), "v"), "t": [entry]})["t"][0]["sc"] == "2026-03-01T08:00:00Z"


def test_what_a_tag_makes_unchangeable_is_read_like_the_rest():
    found = read(dcc(meta=cbor2.CBORTag(0, [{"a": [1]}])))
    assert found["meta"] == [{"a": [1]}]


def test_whatever_maps_names_to_values_is_an_object():
    shut = MappingProxyType(dcc(nam=MappingProxyType(dcc()["nam"])))
    assert dcc_of(Claims("LB", 1, 2, {1: shut})) == dcc()
    assert schema_faults(shut) == []


@pytest.mark.parametrize("other", [{}, {2: {}}, {"1": {}}])
def test_a_health_certificate_of_another_kind_is_not_understood(other):
    with pytest.raises(NotUnderstood):
        dcc_of(read_claims(cbor2.dumps({-260: other})))


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({3: {}, 4: {}}, "here: WHO DDCC, vaccination; WHO DDCC, test$"),
        ({5: {}, -6: {}}, "here: link to a health document; WHO DVC, vaccination or prophylaxis$"),
        ({7: 0, 8: 0, 9: 0, 10: 0}, "here: number 7; number 8; number 9$"),
        ({"x": {}}, "here: of no known number$"),
    ],
)
def test_what_is_there_instead_is_named(other, named):
    with pytest.raises(NotUnderstood, match=named):
        dcc_of(read_claims(cbor2.dumps({-260: other})))


@pytest.mark.parametrize(
    "certificate",
    [b"\xa0", None, [], "text", 1, {1: 2}, {"x": b""}, {"x": [{2: 1}]}, {"x": float("nan")},
     {"x": float("inf")}, {"x": cbor2.undefined}],
)  # fmt: skip
def test_what_json_cannot_hold_is_no_certificate(certificate):
    with pytest.raises(MalformedClaims):
        read(certificate)


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"v": [VACCINATION]}, "v"),
        ({"t": [TEST]}, "t"),
        ({"r": [RECOVERY]}, "r"),
        ({"v": None, "t": [], "r": [RECOVERY]}, "r"),
        ({"v": [VACCINATION], "r": [RECOVERY]}, "v"),
    ],
)
def test_the_kind_is_the_group_that_is_filled(members, kind):
    assert kind_of(members) == kind


def test_a_certificate_without_a_group_has_no_kind():
    with pytest.raises(NotUnderstood):
        kind_of({"v": None, "e": [1]})


@pytest.mark.parametrize(
    ("group", "entries"), [([VACCINATION], [VACCINATION]), ([1, {}], [{}]), (None, []), ({}, [])]
)
def test_entries_are_the_objects_of_a_group(group, entries):
    assert entries_of({"v": group}, "v") == entries


def test_versions_are_those_of_the_published_pattern():
    published = re.compile("[0-9]+.[0-9]+.[0-9]+")
    for length in range(9):
        for letters in product("1.\n", repeat=length):
            ver = "".join(letters)
            assert ("ver" not in schema_faults(dcc(ver=ver))) == bool(published.fullmatch(ver)), ver


OLD_TEST = {**TEST, "tc": "Central laboratory"}
OBEYS = {
    "vaccination": dcc(),
    "test": {**without(dcc(), "v"), "t": [TEST]},
    "recovery": {**without(dcc(), "v"), "r": [RECOVERY]},
    "booster": dcc(v=[{**VACCINATION, "dn": 3, "sd": 2}]),
    "tenth-dose": dcc(v=[{**VACCINATION, "dn": 10}]),
    "whole-float": dcc(v=[{**VACCINATION, "dn": 2.0}]),
    "one-name": dcc(nam={"gnt": "MAYA"}),
    "year-of-birth": dcc(dob="1988"),
    "no-birth-date": dcc(dob=""),
    "unknown-version": dcc(ver="1.0.4"),
    "two-doses-before-1-3": dcc(ver="1.0.0", v=[VACCINATION, VACCINATION]),
    "birth-date-anywhere-in-1-0": dcc(ver="1.0.0", v=[VACCINATION] * 2, dob="born 1988-04-21 so"),
    "birth-year-and-two-doses-in-1-2": dcc(ver="1.2.1", v=[VACCINATION] * 2, dob="1988-04"),
    "long-test-name-before-1-3": dcc(ver="1.2.1", v=[VACCINATION] * 2, extra="x" * 99),
    "unknown-members": dcc(meta=1, v=[{**VACCINATION, "lot": 5}]),
}
V = VACCINATION
DISOBEYS = {
    "no-version": (without(dcc(), "ver"), ["ver"]),
    "version-a-number": (dcc(ver=1), ["ver"]),
    "version-odd": (dcc(ver="1.3"), ["ver"]),
    "no-name": (without(dcc(), "nam"), ["nam"]),
    "no-standardised-name": (dcc(nam={"fn": "Khoury"}), ["nam"]),
    "name-a-text": (dcc(nam="Khoury"), ["nam"]),
    "name-in-small-letters": (dcc(nam={"fnt": "Khoury"}), ["nam.fnt"]),
    "name-with-a-line-end": (dcc(nam={"fnt": "KHOURY\n"}), ["nam.fnt"]),
    "name-too-long": (dcc(nam={"fnt": "K" * 81, "fn": "K" * 81}), ["nam.fn", "nam.fnt"]),
    "name-null": (dcc(nam={"fnt": None}), ["nam.fnt"]),
    "given-name-alone-before-1-3": (dcc(ver="1.2.1", nam={"gnt": "X"}, v=[V, V]), ["nam"]),
    "birth-date-null": (dcc(dob=None), ["dob"]),
    "birth-date-old": (dcc(dob="1815-08-24"), ["dob"]),
    "birth-date-with-a-line-end": (dcc(dob="1988-04-21\n"), ["dob"]),
    "no-group": (without(dcc(), "v"), ["one of v, t, r"]),
    "two-groups": (dcc(r=[RECOVERY]), ["one of v, t, r"]),
    "null-groups": (dcc(t=None), ["one of v, t, r", "t"]),
    "empty-group": (dcc(v=[]), ["v"]),
    "two-entries": (dcc(v=[V, V]), ["v"]),
    "entry-a-number": (dcc(v=[1]), ["v.0"]),
    "dose-nought": (dcc(v=[{**V, "dn": 0}]), ["v.0.dn"]),
    "dose-a-text": (dcc(v=[{**V, "dn": "2"}]), ["v.0.dn"]),
    "dose-a-half": (dcc(v=[{**V, "sd": 2.5}]), ["v.0.sd"]),
    "dose-true": (dcc(v=[{**V, "sd": True}]), ["v.0.sd"]),
    "dose-endless": (dcc(v=[{**V, "sd": float("inf")}]), ["v.0.sd"]),
    "tenth-dose-before-1-3": (dcc(ver="1.2.1", v=[V, {**V, "dn": 10}]), ["v.1.dn"]),
    "no-country": (dcc(v=[without(V, "co")]), ["v.0.co"]),
    "country-empty": (dcc(v=[{**V, "co": ""}]), ["v.0.co"]),
    "country-null": (dcc(v=[{**V, "co": None}]), ["v.0.co"]),
    "date-a-number": (dcc(v=[{**V, "dt": 20260120}]), ["v.0.dt"]),
    "identifier-too-long": (dcc(v=[{**V, "ci": "X" * 81}]), ["v.0.ci"]),
    "test-name-too-long": ({**without(dcc(), "v"), "t": [{**TEST, "nm": "X" * 81}]}, ["t.0.nm"]),
    "test-without-centre-before-1-3": (
        {**without(dcc(ver="1.2.1"), "v"), "t": [OLD_TEST, TEST]},
        ["t.1.tc"],
    ),
    "result-time-a-number-in-1-0": (
        {**without(dcc(ver="1.0.0"), "v"), "t": [OLD_TEST, {**OLD_TEST, "dr": 1}]},
        ["t.1.dr"],
    ),
}


@pytest.mark.parametrize("certificate", OBEYS.values(), ids=OBEYS)
def test_a_lawful_certificate_has_no_faults(certificate):
    assert schema_faults(certificate) == []


@pytest.mark.parametrize(("certificate", "faults"), DISOBEYS.values(), ids=DISOBEYS)
def test_each_fault_is_named_by_its_place(certificate, faults):
    assert schema_faults(certificate) == faults


def test_a_version_may_be_asked_for_by_name():
    twice = dcc(v=[VACCINATION, VACCINATION])
    assert schema_faults(twice)
    assert schema_faults(twice, "1.2.1") == []


TABLES = {"vaccines-covid-19-names": {"EU/1/20/1528": "Comirnaty"}}


@pytest.mark.parametrize(
    ("certificate", "faults"),
    [
        (dcc(), []),
        (dcc(v=[{**V, "mp": "EU/0"}]), ["v.0.mp"]),
        (dcc(v=[{**V, "mp": ["EU/1/20/1528"]}]), ["v.0.mp"]),
        (dcc(v=[V, {**V, "mp": None}]), ["v.1.mp"]),
        (dcc(v=[without(V, "mp")]), []),
        (dcc(v=[{**V, "ma": "not in any table given"}]), []),
    ],
)
def test_an_unknown_code_is_a_softer_fault(certificate, faults):
    assert value_set_faults(certificate, TABLES) == faults


@pytest.mark.parametrize(
    ("kind", "member", "table"),
    [
        *((kind, "tg", "disease-agent-targeted") for kind in "vtr"),
        *((kind, "co", "country-2-codes") for kind in "vtr"),
        ("v", "vp", "sct-vaccines-covid-19"),
        ("v", "mp", "vaccines-covid-19-names"),
        ("v", "ma", "vaccines-covid-19-auth-holders"),
        ("t", "tt", "covid-19-lab-test-type"),
        ("t", "tr", "covid-19-lab-result"),
        ("t", "ma", "covid-19-lab-test-manufacturer-and-name"),
    ],
)
def test_each_coded_member_has_its_own_table(kind, member, table):
    certificate = without(dcc(), "v") | {kind: [{member: "a code"}]}
    assert value_set_faults(certificate, {table: {"a code": ""}}) == []
    assert value_set_faults(certificate, {table: {}}) == [f"{kind}.0.{member}"]
    assert value_set_faults(certificate, {"another": {}}) == []


def test_every_code_of_ordinary_certificates_is_in_our_tables():
    for certificate in (dcc(), dcc(t=[TEST]), dcc(r=[RECOVERY])):
        assert value_set_faults(certificate, value_sets()) == []
    assert value_set_faults(dcc(t=[{**TEST, "tt": "a test", "ma": "9999"}]), value_sets()) == [
        "t.0.tt",
        "t.0.ma",
    ]


SPOILS = [None, 1, 0, -1, 2.0, 2.5, 10, True, "", "X", "x" * 51, "x" * 81, "A" * 60, [], {}, [{}],
          "1999", "x1999-01-01y", "1.3.3", "1.0.0", "1.2.1", "1.0.0.0", [1]]  # fmt: skip
VERSIONS = ("1.0.0", "1.2.1", "1.3.0", "1.3.2", "1.3.3")


def spoilt(certificate: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A copy with up to three members changed, dropped or doubled, anywhere."""
    certificate = copy.deepcopy(certificate)
    if dice.random() < 0.5:
        certificate["ver"] = dice.choice(VERSIONS)
    for _ in range(dice.randint(0, 3)):
        place: Any = certificate
        while place:
            key = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if isinstance(place[key], dict | list) and place[key] and dice.random() < 0.8:
                place = place[key]
                continue
            if dice.random() < 0.3:
                del place[key]
            elif isinstance(place, list) and dice.random() < 0.3:
                place.append(copy.deepcopy(place[key]))
            else:
                place[dice.choice([key, key, "t", "dr"]) if isinstance(place, dict) else key] = (
                    copy.deepcopy(dice.choice(SPOILS))
                )
            break
    return certificate


@pytest.mark.walk
@pytest.mark.conformance
def test_our_checks_say_what_the_published_schemas_say(conformance: Path):
    """5,000 spoilt certificates, seeded: the same answer each time."""
    schemas = {
        version: Draft202012Validator(
            json.loads((conformance / "schema" / f"dcc-{version}.json").read_text("utf-8"))
        )
        for version in VERSIONS
    }
    cases = [
        json.loads(line)
        for line in (conformance / "schema_tests.jsonl").read_text("utf-8").strip().split("\n")
    ]
    assert [
        case["id"] for case in cases if case["valid"] != (not schema_faults(case["json"]))
    ] == []
    dice = random.Random(20260302)
    for _ in range(5_000):
        certificate = spoilt(dice.choice(cases)["json"], dice)
        named = {certificate.get("ver"), "1.3.3"} & schemas.keys() if isinstance(
            certificate.get("ver"), str) else {"1.3.3"}  # fmt: skip
        expected = sum(kind in certificate for kind in "vtr") == 1 and any(
            schemas[version].is_valid(certificate) for version in named
        )
        assert expected == (not schema_faults(certificate)), certificate
