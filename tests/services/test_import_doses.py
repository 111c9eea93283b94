"""Doses of elsewhere come in from tables and FHIR R4B by one engine, once, and go out again."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from healthcert.errors import BadInput, BadRows, NotFound
from healthcert.models import Dose, DoseJudgement, Message
from healthcert.models.base import Base
from healthcert.services import (
    exporting,
    fhir,
    fhir_reading,
    importing,
    sheets,
)
from healthcert.services.cells import Setting
from healthcert.services.import_kinds import KINDS, lines_of
from healthcert.services.people import IdentityDetails
from tests.factories import NOW, day, make_site, make_staff
from tests.services.clinic import COMIRNATY, JCOVDEN, details
from tests.services.test_elsewhere import by_hand, sums
from tests.services.test_importing import Table

EXAMPLES = Path(__file__).parent.parent / "data" / "fhir"
HEAD = (
    "identity_kind,identity_value,birth_date,product,given_on,lot,country,evidence,note,body_site,"
    "route,programme,status\n"
)
ONE = f"national,one-1234,1980-05-17,{COMIRNATY},2025-06-01,fr 12,FR,seen,yellow card,LA,,,\n"


class Doses(Table):
    """The same table, which also reads FHIR."""

    def lines(self, kind, text):
        with self.clinic.doors.reading() as db:
            return lines_of(db, kind, text.encode())

    def out(self, kind, form="csv"):
        with self.clinic.doors.transaction() as db:
            return exporting.give_out(db, setting=self.setting(kind), kind=kind, form=form)

    def faults(self, text):
        return self.look("doses", text).faults


@pytest.fixture
def table(clinic):
    return Doses(clinic)


@pytest.fixture
def person_id(clinic):
    """Somebody on record, born 1980-05-17, known by the national number ONE1234."""
    return clinic.book(clinic.slot(), somebody("ONE1234")).person_id


def somebody(number, **changes):
    known = details(birth_date="1980-05-17", **changes)
    return details(
        birth_date="1980-05-17", identity=type(known.identity)("national", "XX", number), **changes
    )


def doses(clinic):
    with clinic.doors.reading() as db:
        return list(db.scalars(select(Dose).order_by(Dose.given_on, Dose.id)))


def example(name, **changes):
    """Return an example as text, its first Immunization changed; None takes a field away."""
    told = json.loads((EXAMPLES / name).read_text("utf-8"))
    entries = [each["resource"] for each in told.get("entry", [])] or [told]
    first = next(each for each in entries if each["resourceType"] == "Immunization")
    first.update(changes)
    for field in [field for field, value in changes.items() if value is None]:
        del first[field]
    return json.dumps(told)


def test_a_dose_comes_in_with_all_that_is_told_of_it_and_is_certified(
    table, clinic, signers, person_id
):
    told = []
    report = table.take("doses", HEAD + ONE, progress=told.append)
    assert (report.new, report.faults, sum(told)) == (1, [], 1)
    [dose] = doses(clinic)
    assert (dose.person_id, dose.source, dose.lot_text, dose.body_site, dose.recorded_by) == (
        person_id, "foreign", "FR12", "LA", clinic.nurse.id,
    )  # fmt: skip
    assert clinic.counts(dose) == ("valid", 1)
    assert len(clinic.issue(signers)) == 1
    assert "1234" not in dose.import_key.lower()


@pytest.mark.usefixtures("person_id")
def test_looking_at_doses_writes_nothing(table, clinic):
    def rows():
        with clinic.doors.reading() as db:
            return {
                name: db.scalar(select(func.count()).select_from(each))
                for name, each in Base.metadata.tables.items()
            }

    before = rows()
    assert table.look("doses", HEAD + ONE).new == 1
    assert rows() == before


@pytest.mark.usefixtures("person_id")
def test_the_same_dose_from_any_file_is_stored_once(table, clinic):
    table.take("doses", HEAD + ONE)
    twice = ONE.replace("fr 12", "FR12").replace("yellow card", "told again")
    report = table.take("doses", HEAD + twice + twice.replace("FR12", "") + ONE)
    assert (report.new, report.known, report.twice) == (0, [2], {3: 2, 4: 2})
    assert len(doses(clinic)) == 1


def test_a_dose_that_we_gave_ourselves_is_known(table, clinic):
    clinic.lot()
    here = clinic.vaccinated(day(-3), somebody("ONE1234"))
    line = ONE.replace("2025-06-01", here.given_on.isoformat()).replace("fr 12", "good")
    assert table.look("doses", HEAD + line).known == [2]


WRONG = (
    ("one-1234", "two-1234", "identity_value", "not_known"),
    ("one-1234", "", "identity_value", "missing"),
    ("national", "tribal", "identity_kind", "not_a_choice"),
    ("1980-05-17", "1980-05-18", "birth_date", "contradicts_record"),
    (COMIRNATY, "EU/9/99", "product", "not_known"),
    ("2025-06-01", "2025-13", "given_on", "not_a_date"),
    ("2025-06-01", "2027", "given_on", "in_the_future"),
    ("FR,seen", "France,seen", "country", "not_a_country"),
    ("seen", "given_here", "evidence", "not_known"),
    ("seen", "rumour", "evidence", "not_a_choice"),
    ("fr 12", "x" * 21, "lot", "too_long"),
    (",,,\n", ",,plague,\n", "programme", "not_known"),
    (",,,\n", ",by letter,,\n", "route", "not_a_choice"),
    (",,,\n", ",,,done\n", "status", "not_a_choice"),
    ("yellow card", "a\0b", "note", "not_text"),
)


@pytest.mark.usefixtures("person_id")
def test_what_is_wrong_with_a_dose_is_named(table):
    lines = [ONE.replace(before, after) for before, after, *_ in WRONG]
    assert table.faults(HEAD + "".join(lines)) == [
        (number, field, wrong) for number, (*_, field, wrong) in enumerate(WRONG, 2)
    ]


@pytest.mark.usefixtures("person_id")
def test_all_that_is_wrong_with_a_line_is_told_at_once_and_keeps_the_table_out(table, clinic):
    bad = ONE.replace("one-1234", "nobody").replace("2025-06-01", "June").replace("1528", "0")
    with pytest.raises(BadRows) as caught:
        table.take("doses", HEAD + ONE + bad)
    assert set(caught.value.faults) == {
        (3, "identity_value", "not_known"), (3, "given_on", "not_a_date"),
        (3, "product", "not_known"),
    }  # fmt: skip
    assert doses(clinic) == []


def test_doses_of_one_person_come_in_together_and_are_judged_once(
    table, clinic, signers, person_id, monkeypatch
):
    monkeypatch.setattr(importing, "PIECE", 1)
    other = clinic.book(clinic.slot(day(2)), somebody("TWO1234")).person_id
    late, early = ONE.replace("06-01", "07-01"), ONE.replace("one-1234", "two-1234")
    told = []
    table.take("doses", HEAD + late + early + ONE, progress=told.append)
    assert told == [0, 2, 1]
    assert [(each.person_id, *clinic.counts(each)) for each in doses(clinic)] == [
        (person_id, "valid", 1), (other, "valid", 1), (person_id, "valid", 2)
    ]  # fmt: skip
    assert {each.state for each in clinic.issue(signers)} == {"issued"}
    assert sums(clinic) == []
    with clinic.doors.reading() as db:
        assert len(db.scalars(select(DoseJudgement)).all()) == 3


@pytest.mark.usefixtures("person_id")
def test_a_line_that_names_another_lot_than_the_record_is_a_fault(table):
    table.take("doses", HEAD + ONE)
    assert table.faults(HEAD + ONE.replace("fr 12", "it 9")) == [(2, "lot", "contradicts_record")]


@pytest.mark.usefixtures("person_id")
def test_doses_taken_back_fall_with_their_certificates_and_may_come_again(table, clinic, signers):
    batch = table.take("doses", HEAD + ONE).batch_id
    clinic.issue(signers)
    assert table.back("doses", batch) == (1, 0)
    [dose] = doses(clinic)
    assert clinic.counts(dose) == ("entered_in_error", None)
    assert [c.state for c in clinic.certificates(dose)] == ["revoked"]
    with clinic.doors.reading() as db:
        assert "dose_corrected" in db.scalars(select(Message.template)).all()
    assert table.take("doses", HEAD + ONE).new == 1
    assert [clinic.counts(each)[0] for each in doses(clinic)] == ["entered_in_error", "valid"]
    assert sums(clinic) == []


@pytest.mark.usefixtures("person_id")
def test_what_somebody_marked_before_stays_as_they_left_it(table, clinic):
    batch = table.take("doses", HEAD + ONE).batch_id
    by_hand(clinic, doses(clinic)[0], "entered_in_error", "not_given")
    assert table.back("doses", batch) == (0, 1)


@pytest.mark.usefixtures("person_id")
def test_doses_are_taken_back_by_the_site_that_took_them_in(table, clinic):
    batch = table.take("doses", HEAD + ONE).batch_id
    with clinic.doors.transaction() as db:
        stranger = make_staff(db, site_id=make_site(db).id)
    setting = Setting(clinic.vault, clinic.country, stranger, NOW)
    with pytest.raises(NotFound), clinic.doors.transaction() as db:
        importing.take_back(db, setting=setting, kind=KINDS["doses"], batch_id=batch)
    assert clinic.counts(doses(clinic)[0]) == ("valid", 1)


@pytest.mark.usefixtures("person_id")
def test_fhir_becomes_the_same_lines_as_a_table(table):
    for name in ("bundle.json", "contained.json", "partial.json"):
        report = table.take("doses", example(name))
        assert (report.faults, report.new) == ([], 1)
    assert table.take("doses", HEAD + ONE).known == [2]  # the first example tells the same
    out = list(csv.DictReader(io.StringIO(table.out("doses"))))
    columns = ("given_on", "evidence", "lot", "product", "note", "body_site", "route", "country")
    assert [tuple(each[column] for column in columns) for each in out] == [
        ("2025-06-01", "seen", "FR12", COMIRNATY, "yellow card (dose 1)", "LA", "20035000", "FR"),
        ("2025-06-01", "stated", "IT9", JCOVDEN, "", "", "", "FR"),
        ("2025-06", "seen", "", COMIRNATY, "", "", "", "FR"),
    ]


@pytest.mark.usefixtures("person_id")
def test_a_resource_a_line_is_read_and_a_broken_line_named(table):
    whole = example("contained.json")
    report = table.look("doses", f'{whole}\n{{"resourceType":\n\n{whole}\n[1]\n')
    assert (report.new, report.twice) == (1, {5: 2})
    assert report.faults == [(3, "entry", "not_a_resource"), (6, "entry", "not_a_resource")]


@pytest.mark.usefixtures("person_id")
def test_what_was_not_given_is_reported_and_not_taken_in(table, clinic):
    lines = [example("contained.json", status=status) for status in fhir.STATUSES[1:]]
    report = table.take("doses", "\n".join(lines))
    assert (report.new, report.passed) == (0, {2: "entered-in-error", 3: "not-done"})
    assert doses(clinic) == []


CVX = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "212"}]}
OTHER_SYSTEM = {"coding": [{"system": "http://example.org/ours", "code": "212"}]}
MEANT = {("http://hl7.org/fhir/sid/cvx", "212"): {JCOVDEN}}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"vaccineCode": OTHER_SYSTEM}, {"product": "not_known"}),
        ({"vaccineCode": "212"}, {"vaccineCode": "wrong_type"}),
        ({"occurrenceDateTime": "last June"}, {"given_on": "not_a_date"}),
        ({"occurrenceDateTime": None, "occurrenceString": "June"}, {"given_on": "not_a_date"}),
        ({"lotNumber": 12}, {"lotNumber": "wrong_type"}),
        ({"primarySource": "yes"}, {"primarySource": "wrong_type"}),
        ({"status": None}, {"status": "missing"}),
        ({"location": {"reference": "#nowhere"}}, {"location": "not_in_file"}),
        ({"patient": {"reference": "Patient/1"}}, {"patient": "not_in_file"}),
        ({"protocolApplied": [{"doseNumberPositiveInt": "1"}]},
         {"doseNumberPositiveInt": "wrong_type"}),
        ({"site": [{}]}, {"site": "wrong_type"}),
        ({"note": ["text"]}, {"note": "wrong_type"}),
        ({"contained": [{"id": "who"}, {"id": "where"}, {"id": "who"}]}, {"contained": "twice"}),
        ({"contained": {}}, {"contained": "wrong_type", "patient": "not_in_file",
                             "location": "not_in_file"}),
    ],
)  # fmt: skip
def test_what_has_another_shape_than_r4b_gives_it_is_named(changes, wrong):
    raw = example("contained.json", **{"vaccineCode": CVX} | changes).encode()
    [line] = fhir_reading.read(raw, vaccines=MEANT)
    assert (line.number, line.wrong) == (2, wrong)


def test_a_vaccine_is_known_by_a_code_that_is_one_product_s_and_never_guessed():
    raw = example("contained.json", vaccineCode=CVX).encode()
    [line] = fhir_reading.read(raw, vaccines=MEANT)
    assert (line.cells["product"], line.wrong) == (JCOVDEN, {})
    [line] = fhir_reading.read(raw, vaccines={key: {JCOVDEN, COMIRNATY} for key in MEANT})
    assert line.wrong == {"product": "several"}


@pytest.mark.parametrize(
    ("changes", "column", "told"),
    [
        ({"occurrenceDateTime": "2025"}, "given_on", "2025"),
        ({"occurrenceDateTime": "2025-06-01T23:59:00Z"}, "given_on", "2025-06-01"),
        ({"site": {"coding": [{"code": "RD"}]}}, "body_site", "RA"),
        ({"site": {"coding": [{"code": "BU"}]}}, "body_site", "other"),
        ({"route": {"coding": [{"code": "SQ"}]}}, "route", "20066000"),
        ({"primarySource": True}, "evidence", "seen"),
        ({"primarySource": False}, "evidence", "stated"),
        ({"patient": {"identifier": {"value": "7", "type": {"coding": [{"code": "PPN"}]}}}},
         "identity_kind", "passport"),
    ],
)  # fmt: skip
def test_codes_and_days_become_ours(changes, column, told):
    raw = example("contained.json", vaccineCode=CVX, **changes).encode()
    [line] = fhir_reading.read(raw, vaccines=MEANT)
    assert (line.cells[column], line.wrong) == (told, {})


def test_two_patients_under_one_address_are_nobody():
    told = json.loads(example("bundle.json"))
    told["entry"].append({"resource": told["entry"][0]["resource"] | {"birthDate": "1990-01-01"}})
    [line] = fhir_reading.read(json.dumps(told).encode(), vaccines={})
    assert line.wrong["patient"] == "not_in_file"


@pytest.mark.usefixtures("person_id")
def test_what_is_wrong_with_an_entry_is_named_by_its_number(table):
    lines = [
        example("contained.json", **changes)
        for changes in ({"lotNumber": "\ud800"}, {"location": None}, {"vaccineCode": None})
    ]
    assert table.faults("\n".join(lines)) == [
        (2, "lot", "not_text"), (3, "country", "missing"), (4, "product", "missing"),
    ]  # fmt: skip
    assert (4, "patient", "not_in_file") in table.faults(
        example("bundle.json", patient={"reference": "Patient/elsewhere"})
    )


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (b'{"a":' * 100_000, "too_deep"),
        (b'{"resourceType": "Patient"}', "not_fhir"),
        (b'{"resourceType": "Bundle", "type": "history", "entry": []}', "not_fhir"),
        (b'{"resourceType": "Bundle", "type": "collection", "entry": {}}', "not_fhir"),
        (b'{"resourceType": "Bundle", "type"', "not_json"),
        (b'{"a": 1, "a": 2}', "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b"{\xff}", "not_utf8"),
        (b"{" + b" " * sheets.MOST_BYTES, "too_large"),
    ],
    ids=["deep", "patient", "history", "shape", "cut", "twice", "nan", "bytes", "large"],
)
def test_a_hostile_file_is_refused_as_a_whole(raw, wrong):
    with pytest.raises(BadInput) as caught:
        fhir_reading.read(raw, vaccines={})
    assert caught.value.fields == {"file": wrong}


def test_what_goes_out_is_known_when_it_comes_back(table, clinic):
    clinic.lot()
    here = clinic.vaccinated(day(-3), somebody("ONE1234"))
    clinic.elsewhere(here.person_id, "2025-06")
    wrong = clinic.elsewhere(here.person_id, "2025-01-05", product=JCOVDEN, lot="=1+1")
    by_hand(clinic, wrong, "entered_in_error", "not_given")
    for form in ("csv", "json", "ndjson"):
        text = table.out("doses", form)
        report = table.look("doses", text)
        assert (report.faults, report.new, report.lines) == ([], 0, 3)
        assert (len(report.known), list(report.passed.values())) == (2, ["entered-in-error"])
        assert ("'=1+1" in text) == (form == "csv")


@pytest.mark.parametrize("form", ["csv", "json", "ndjson"])
def test_doses_of_who_has_no_number_go_out_and_come_in_again(table, clinic, form):
    unknown = [details(birth_date="1980-05-17", identity=IdentityDetails("none")) for _ in "ab"]
    hers, his = (clinic.book(clinic.slot(day(n)), who).person_id for n, who in enumerate(unknown))
    for person_id in (hers, his):  # two whom only our own reference tells apart
        clinic.elsewhere(person_id, "2025-06-01")
    text = table.out("doses", form)
    assert (table.look("doses", text).faults, table.look("doses", text).known) == ([], [2, 3])
    later = text.replace("2025-06-01", "2025-08-01")
    assert table.take("doses", later).new == 2
    assert sorted(each.person_id for each in doses(clinic)) == [hers, hers, his, his]
    assert table.faults(later.replace(str(his), str(hers).upper())) == []


@pytest.mark.usefixtures("person_id")
@pytest.mark.parametrize(
    ("person", "born", "field", "wrong"),
    [
        ("", "1980-05-17", "person", "missing"),
        ("Maria", "1980-05-17", "person", "not_known"),
        ("019a7d3e-6a41-7b5c-9c1e-5a0f0b7a2d11", "1980-05-17", "person", "not_known"),
        ("{hers}", "1980-05-18", "birth_date", "contradicts_record"),
        ("{numbered}", "1980-05-17", "birth_date", "contradicts_record"),
    ],
)
def test_a_wrong_reference_is_named_and_nobody_guessed(
    table, clinic, person_id, person, born, field, wrong
):
    hers = clinic.book(
        clinic.slot(day(2)), details(birth_date="1980-05-17", identity=IdentityDetails("none"))
    ).person_id
    who = person.format(hers=hers, numbered=person_id)
    line = ONE.replace("national,one-1234,1980-05-17", f"none,,{born}").replace("\n", f",{who}\n")
    assert table.faults(HEAD.replace("\n", ",person\n") + line) == [(2, field, wrong)]


def test_an_immunization_says_where_a_dose_stands(table, clinic):
    clinic.lot()
    clinic.vaccinated(day(-3), somebody("ONE1234"))
    [entry] = json.loads(table.out("doses", "json"))["entry"]
    told = entry["resource"]
    assert (told["status"], told["primarySource"], told["lotNumber"]) == ("completed", True, "GOOD")
    assert told["protocolApplied"][0]["doseNumberPositiveInt"] == 1
    assert [each["valueCode"] for each in told["extension"][1]["extension"]] == [
        "840539006", "valid",
    ]  # fmt: skip
    assert "name" not in told["contained"][0]


def test_only_doses_go_out_as_fhir(table):
    with pytest.raises(BadInput):
        table.out("people", "json")


def places(told, way=()):
    """Yield the way to each value of a JSON tree."""
    inner = told.items() if isinstance(told, dict) else enumerate(told)
    for step, value in list(inner):
        yield (*way, step)
        if isinstance(value, (dict, list)):
            yield from places(value, (*way, step))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_whatever_stands_in_a_place_a_line_or_a_refusal_comes_of_it(data):
    told = json.loads(example(data.draw(st.sampled_from(["bundle.json", "contained.json"]))))
    *way, last = data.draw(st.sampled_from(list(places(told))))
    place = told
    for step in way:
        place = place[step]
    place[last] = data.draw(JSON)
    lines = []
    with suppress(BadInput):
        lines = fhir_reading.read(json.dumps(told).encode(), vaccines=MEANT)
    assert all(isinstance(text, str) for line in lines for text in line.cells.values())
