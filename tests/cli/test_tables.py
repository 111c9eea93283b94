"""`healthcert import look|take|undo` and `healthcert export`, on a database of their own."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from healthcert.config import Settings
from healthcert.parts import open_parts
from healthcert.services import enrolment, knowledge
from tests.factories import NOW, make_admin
from tests.services.clinic import details

FHIR = Path(__file__).parent.parent / "data" / "fhir"

SITES = "code,name_en,address_en,region,latitude,longitude\nnord,North,1 Quay,coast,33.9,35.5\n"


@pytest.fixture
def site_table(tmp_path, sqlite_template):
    shutil.copy(sqlite_template, tmp_path / "healthcert.db")
    path = tmp_path / "sites.csv"
    path.write_text(SITES, "utf-8")
    return path


def test_a_table_is_looked_at_taken_in_given_out_and_taken_back(run, site_table, tmp_path):
    done = run("import", "look", "sites", site_table)
    assert (done.exit_code, done.stdout) == (0, "lines 1: new 1, on record 0, twice 0\n")
    done = run("import", "take", "sites", site_table)
    assert done.exit_code == 0
    batch = done.stdout.split()[-1]
    out = tmp_path / "out.csv"
    assert run("export", "sites", out).exit_code == 0
    assert "nord,North" in out.read_text("utf-8")
    assert out.stat().st_mode & 0o077 == 0
    again = run("import", "take", "sites", site_table)
    assert again.exit_code == 1
    assert "taken in before" in again.output
    done = run("import", "undo", batch)
    assert (done.exit_code, done.stdout) == (0, "gone 1, stayed 0\n")


def test_a_bad_table_is_named_by_line_and_field_with_what_to_do(run, site_table):
    site_table.write_text(SITES.replace("33.9", "north") + "sud,,2 Quay,coast,1,2\n", "utf-8")
    for verb in ("look", "take"):
        done = run("import", verb, "sites", site_table)
        assert done.exit_code == 1
        assert "line 2, latitude: not_degrees (not a number of degrees)" in done.output
        assert "line 3, name_en: missing (fill it in)" in done.output
        assert "2 lines cannot be used" in done.output


def test_many_faults_are_counted_not_all_told(run, site_table):
    site_table.write_text(SITES + "x,,a,coast,1,2\n" * 60, "utf-8")
    done = run("import", "look", "sites", site_table)
    assert done.output.count("name_en: missing") == 50
    assert "and 10 more" in done.output


def test_twins_are_told(run, site_table):
    site_table.write_text(SITES + SITES.splitlines()[1] + "\n", "utf-8")
    assert "line 3 says the same as line 2" in run("import", "look", "sites", site_table).output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("import", "undo", "019a7d3e-6a41-7b5c-9c1e-5a0f0b7a2d11"), 1),
        (("import", "take", "sites", "{}", "--staff", "019a7d3e-6a41-7b5c-9c1e-5a0f0b7a2d11"), 1),
        (("import", "take", "pets", "{}"), 2),
    ],
)
def test_what_is_not_there_is_refused(run, site_table, words, code):
    assert run(*[word.format(site_table) for word in words]).exit_code == code


@pytest.fixture
def ada(run, site_table):
    """Who answers for doses; somebody with the number ONE1234 is on record."""
    assert run  # and its settings
    assert site_table.exists()  # and the database beside it
    parts, now = open_parts(Settings.from_env(os.environ)), NOW
    who = details(birth_date="1980-05-17")
    who = replace(who, identity=replace(who.identity, value="ONE1234"))
    with parts.doors.transaction() as db:
        knowledge.load(db, now=now)
        enrolment.enrol(db, vault=parts.vault, details=who, now=now)
        return make_admin(db).id


def test_doses_come_in_from_fhir_by_somebody_and_go_out_as_they_came(run, ada, tmp_path):
    bundle = FHIR / "bundle.json"
    assert "staff: missing" in run("import", "take", "doses", bundle).output
    done = run("import", "take", "doses", bundle, "--staff", ada)
    assert done.exit_code == 0
    assert "lines 1: new 1" in done.stdout
    for ending in ("csv", "json", "ndjson"):
        out = tmp_path / f"out.{ending}"
        assert run("export", "doses", out).exit_code == 0
        assert "lines 1: new 0, on record 1" in run("import", "look", "doses", out).stdout
    done = run("import", "undo", done.stdout.split()[-1], "--staff", ada)
    assert (done.exit_code, done.stdout) == (0, "gone 1, stayed 0\n")
    told = run("import", "look", "doses", tmp_path / "out.json").stdout
    assert told == "lines 1: new 1, on record 0, twice 0\n"
    assert run("export", "doses", tmp_path / "out.json").exit_code == 0
    told = run("import", "look", "doses", tmp_path / "out.json").stdout
    assert "passed over 1\nentry 1 is entered-in-error: passed over" in told


@pytest.mark.usefixtures("ada")
def test_faults_of_fhir_are_told_by_entry_and_in_its_own_words(run, tmp_path):
    told = json.loads((FHIR / "contained.json").read_text("utf-8"))
    path = tmp_path / "doses.ndjson"
    lines = [told, told | {"occurrenceDateTime": "June"}, told]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    done = run("import", "look", "doses", path)
    assert "entry 2, occurrenceDateTime: not_a_date (write it as" in done.output
    assert "entry 3 says the same as entry 1" in done.output


def test_the_bar_moves_while_doses_come_in(run, ada, monkeypatch):
    monkeypatch.setattr("click._termui_impl.isatty", lambda _stream: True)
    done = run("import", "take", "doses", FHIR / "contained.json", "--staff", ada)
    assert "doses  [" in done.output
    assert "100%" in done.output


@pytest.mark.usefixtures("site_table")
def test_only_doses_go_out_as_fhir(run, tmp_path):
    done = run("export", "sites", tmp_path / "sites.json")
    assert (done.exit_code, "form: not_a_choice" in done.output) == (2, True)
