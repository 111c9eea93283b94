"""What we certify: lawful by the published schema, of codes that go together, within its days."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from healthcert.data import vaccines, value_sets
from healthcert.data.knowledge import sources
from healthcert.errors import BadInput
from healthcert.hcert import decode, encode, schema_faults, uvci, value_set_faults, writing
from healthcert.hcert.inspection import inspect
from healthcert.hcert.names import Holder, names_of
from tests.certificates import NOW, make_text
from tests.people import people

MAYA = Holder("Khoury", "Maya", "1988-04-21")
SAID = writing.Statement("840539006", "LB", "Ministry of Health", uvci.new("LB", "HC", bytes(10)))
COMIRNATY = {
    "product": "EU/1/20/1528",
    "authorisation": "ORG-100030215",
    "prophylaxis": "1119349007",
}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST_POSITIVE = date(2026, 1, 1)
CERTIFIED = 10_000
READ_BACK = int(os.environ.get("HEALTHCERT_PEOPLE", "1000"))  # the nightly run asks for 10,000


def vaccination(holder=MAYA, said=SAID, *, dose=2, series=2, **codes):
    return writing.of_vaccination(
        holder,
        said,
        dose=dose,
        series=series,
        given_on=date(2026, 1, 20),
        vaccines=vaccines(),
        **COMIRNATY | codes,
    )


def sampled(**changes):
    facts = {"test_type": writing.NUCLEIC_ACID, "result": "260415000", "sampled_at": NOON}
    return writing.of_test(MAYA, SAID, **facts | changes)


def recovered(**changes):
    return writing.of_recovery(MAYA, SAID, first_positive=FIRST_POSITIVE, **changes)


def test_a_vaccination_says_what_was_given():
    assert vaccination() == {
        "ver": "1.3.3",
        "nam": {"fn": "Khoury", "fnt": "KHOURY", "gn": "Maya", "gnt": "MAYA"},
        "dob": "1988-04-21",
        "v": [
            {
                "tg": "840539006",
                "vp": "1119349007",
                "mp": "EU/1/20/1528",
                "ma": "ORG-100030215",
                "dn": 2,
                "sd": 2,
                "dt": "2026-01-20",
                "co": "LB",
                "is": "Ministry of Health",
                "ci": SAID.uvci,
            }
        ],
    }


@pytest.mark.parametrize(
    ("codes", "wrong"),
    [
        ({"product": "EU/1/20/0"}, {"mp": "unknown_vaccine"}),
        ({"product": "VLA2001"}, {"mp": "unknown_vaccine"}),  # withdrawn
        ({"authorisation": "ORG-100031184"}, {"ma": "not_of_this_vaccine"}),
        ({"prophylaxis": "29061000087103"}, {"vp": "not_of_this_vaccine"}),
    ],
)
def test_codes_that_do_not_go_together_are_refused(codes, wrong):
    with pytest.raises(BadInput) as refusal:
        vaccination(**codes)
    assert refusal.value.fields == wrong


def test_a_wider_kind_of_vaccine_is_right_too():
    assert vaccination(prophylaxis="28531000087107")["v"][0]["vp"] == "28531000087107"


@pytest.mark.parametrize(
    ("faulty", "wrong"),
    [
        ({"dose": 0}, {"v.0.dn": "schema"}),
        ({"holder": Holder("Khoury", "Maya", "1888-04-21")}, {"dob": "schema"}),
        ({"said": writing.Statement("840539006", "lb", "", "")}, {"v.0.co": "schema"}),
    ],
)
def test_nothing_is_made_that_the_schema_refuses(faulty, wrong):
    with pytest.raises(BadInput) as refusal:
        vaccination(**faulty)
    assert refusal.value.fields == wrong


def test_a_laboratory_test_names_its_method_and_no_device():
    entry = sampled(name="RT-PCR", centre="Central laboratory")["t"][0]
    assert (entry["tt"], entry["nm"], entry["tc"]) == ("LP6464-4", "RT-PCR", "Central laboratory")
    assert "ma" not in entry
    assert "tc" not in sampled()["t"][0]


def test_a_rapid_test_names_its_device():
    assert sampled(test_type=writing.RAPID_ANTIGEN, device="1232")["t"][0]["ma"] == "1232"


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        ({"test_type": "a test"}, {"tt": "unknown_test_type"}),
        ({"test_type": writing.RAPID_ANTIGEN}, {"ma": "missing"}),
        ({"device": "1232"}, {"ma": "unexpected"}),
        ({"sampled_at": datetime(2026, 3, 1)}, {"sc": "no_time_zone"}),  # noqa: DTZ001 - the point
    ],
)
def test_a_test_that_contradicts_itself_is_refused(facts, wrong):
    with pytest.raises(BadInput) as refusal:
        sampled(**facts)
    assert refusal.value.fields == wrong


def test_a_sample_is_timed_in_utc_to_the_second():
    beirut = datetime(2026, 3, 1, 14, 0, 7, 999, tzinfo=timezone(timedelta(hours=2)))
    assert sampled(sampled_at=beirut)["t"][0]["sc"] == "2026-03-01T12:00:07Z"


def test_a_recovery_holds_from_the_eleventh_day_to_the_hundred_and_eightieth():
    entry = recovered()["r"][0]
    assert (entry["fr"], entry["df"], entry["du"]) == ("2026-01-01", "2026-01-12", "2026-06-30")


def test_a_recovery_may_hold_for_fewer_days():
    entry = recovered(valid_from=date(2026, 2, 1), valid_until=date(2026, 2, 1))["r"][0]
    assert (entry["df"], entry["du"]) == ("2026-02-01", "2026-02-01")


@pytest.mark.parametrize(
    ("days", "wrong"),
    [
        ({"valid_from": date(2026, 1, 11)}, {"df": "too_early"}),
        ({"valid_until": date(2026, 7, 1)}, {"du": "too_late"}),
        ({"valid_until": date(2026, 1, 11)}, {"du": "before_it_begins"}),
        ({"valid_from": date(2026, 7, 1)}, {"du": "before_it_begins"}),
    ],
)
def test_a_recovery_never_holds_outside_its_days(days, wrong):
    with pytest.raises(BadInput) as refusal:
        recovered(**days)
    assert refusal.value.fields == wrong


@pytest.mark.parametrize(
    ("holder", "names"),
    [
        (("Zoe\u0308", ""), {"fn": "Zo\u00eb", "fnt": "ZOE"}),  # composed
        (("", "Maya"), {"fnt": "", "gn": "Maya", "gnt": "MAYA"}),
        (("خوري", "مايا"), {"fn": "خوري", "fnt": "XKHWRY", "gn": "مايا", "gnt": "MAYA"}),
        (("李", ""), {"fn": "李", "fnt": ""}),  # no table, and no document
    ],
)
def test_names_are_written_in_both_ways_and_left_out_where_empty(holder, names):
    assert names_of(Holder(*holder, birth_date="1988")) == names


def test_the_spelling_of_the_document_goes_before_our_own():
    maya = Holder("خوري", "مايا", "1988", family_latin="Khoury", language="ar")
    assert names_of(maya)["fnt"] == "KHOURY"


def test_a_long_name_is_cut_in_both_ways():
    names = names_of(Holder("Ä" * 100, "", "1988"))
    assert (len(names["fn"]), len(names["fnt"])) == (80, 80)


def test_every_vaccine_we_give_has_codes_that_go_together():
    for source in sources("vaccine"):
        codes = vaccines()[source.content["code"]]
        assert source.content["ma"] == codes.holder
        assert source.content["vp"] == codes.kinds[0]


def test_every_code_of_a_vaccine_is_in_its_value_set():
    sets = value_sets()
    assert vaccines().keys() == sets["vaccines-covid-19-names"].keys()
    for codes in vaccines().values():
        assert codes.holder in sets["vaccines-covid-19-auth-holders"]
        assert set(codes.kinds) <= sets["sct-vaccines-covid-19"].keys()


@pytest.mark.conformance
def test_the_codes_go_together_as_the_published_table_says(conformance: Path):
    published = json.loads((conformance / "value_sets.json").read_text("utf-8"))
    rows = published["vaccine-encoding-instructions"]["valueSetValues"].values()
    assert {
        row["vaccine-code"].removesuffix(" (deprecated)"): (
            row["vaccine-manufacturer"],
            set(row["sct-codes"]),
        )
        for row in rows
    } == {code: (codes.holder, set(codes.kinds)) for code, codes in vaccines().items()}


@pytest.mark.walk
@pytest.mark.conformance
def test_what_we_certify_of_anybody_obeys_the_published_schema(conformance: Path, say):
    schema = json.loads((conformance / "schema" / "dcc-1.3.3.json").read_text("utf-8"))
    official = Draft202012Validator(schema)
    for person in people(CERTIFIED):
        assert official.is_valid(person.certificate), person
        assert schema_faults(person.certificate) == []
        assert value_set_faults(person.certificate, value_sets()) == []
    say(f"{CERTIFIED:,} people obey schema 1.3.3")


@pytest.mark.walk
def test_what_we_sign_of_anybody_reads_back_the_same(signers):
    for person in people(READ_BACK):
        signer = signers[person.kind]
        text = make_text(signer, person.certificate)
        found = inspect(text, certificates=[signer.certificate], at=NOW, tables=value_sets())
        assert found.certificate == person.certificate
        assert (found.refusal, set(found.steps.values())) == (None, {True})
        assert encode(decode(text)) == text
