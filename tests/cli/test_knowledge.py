"""`healthcert vaccines` and `healthcert country`: what a doctor wrote, checked and loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from healthcert.data import knowledge as files
from healthcert.db import Doors, make_engine, migrate
from healthcert.services import desk

FEVER = Path(__file__).parent.parent / "data" / "yellow_fever"
XX = Path(files.__file__).parent / "countries" / "xx.toml"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(FEVER, tmp_path / "fever"))


def broken(folder, old, new):
    path = folder / "vaccines" / "stamaril.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return path


def test_our_own_files_and_a_folder_are_in_order(run, folder):
    assert run("vaccines", "check").stdout == "Nothing is wrong: 4 files.\n"
    assert run("vaccines", "check", folder).stdout == "Nothing is wrong: 6 files.\n"
    assert json.loads(run("vaccines", "check", "--json").stdout) == {"files": 4}


def test_a_fault_is_a_line_and_exit_1(run, folder):
    broken(folder, "doses = 1\n", "dosis = 1\n")
    done = run("vaccines", "check", folder)
    assert done.exit_code == 1
    unknown, missing = done.stdout.splitlines()
    assert unknown == (
        "vaccine stamaril.toml: series.dosis: This field is not known. Did you mean doses?"
    )
    assert missing.endswith("This field is missing. Add it: a whole number from 1 to 9.")


def test_a_program_gets_the_fault_in_parts(run, folder):
    path = broken(folder, 'ar = "', 'de = "')
    done = run("vaccines", "check", path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["field"] == "questions[1].ask.ar"


def test_one_file_is_checked_beside_ours(run, folder):
    alone = run("vaccines", "check", folder / "programmes" / "yellow-fever.toml")
    assert "There is no vaccine J07BL01." in alone.stdout
    path = broken(folder, "doses = 1\n", "doses =\n")
    assert "cannot be read" in run("vaccines", "check", path).stderr


@pytest.mark.parametrize(("country", "code"), [("XX", 1), ("LB", 0)])
def test_a_phase_asks_for_regions_of_the_country_that_the_files_are_for(
    run, folder, tmp_path, monkeypatch, country, code
):
    url = f"sqlite:///{tmp_path / 'healthcert.db'}"
    monkeypatch.setenv("HEALTHCERT_DATABASE_URL", url)
    monkeypatch.setenv("HEALTHCERT_COUNTRY", country)
    migrate(url)
    path = folder / "programmes" / "yellow-fever.toml"
    path.write_text(path.read_text("utf-8").replace('["coast"]', '["bekaa"]'), "utf-8")
    for deed in ("check", "load"):
        done = run("vaccines", deed, folder)
        assert bool(done.exit_code) == bool(code), done.output
        assert ("phases[1].admits: There is no region bekaa" in done.output) == bool(code)


def test_the_vaccines_we_know_are_listed(run):
    lines = run("vaccines", "list").stdout.splitlines()
    assert "EU/1/20/1528         Comirnaty            2 doses, 21 days apart" in lines
    told = [json.loads(line) for line in run("vaccines", "list", "--json").stdout.splitlines()]
    assert [each["doses"] for each in told] == [2, 1]


def test_a_folder_is_loaded_once(run, folder, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'healthcert.db'}"
    monkeypatch.setenv("HEALTHCERT_DATABASE_URL", url)
    migrate(url)
    assert run("vaccines", "load", folder).stdout == "New versions: 6\n"
    assert run("vaccines", "load", folder).stdout == "New versions: 0\n"
    engine = make_engine(url)
    with Doors(engine).reading() as db:
        assert {each.code for each in desk.programmes(db)} == {"covid19", "yellow-fever"}
    engine.dispose()


def test_a_wrong_folder_is_not_loaded(run, folder, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'healthcert.db'}"
    monkeypatch.setenv("HEALTHCERT_DATABASE_URL", url)
    migrate(url)
    broken(folder, "doses = 1", "doses = 12")
    done = run("vaccines", "load", folder)
    assert done.exit_code == 1
    assert "series.doses: This is 12. It must be: a whole number from 1 to 9." in done.stderr


def test_a_country_is_checked(run, tmp_path):
    assert run("country", "check", XX).stdout == "Nothing is wrong: 1 files.\n"
    wrong = tmp_path / "xx.toml"
    wrong.write_text(XX.read_text("utf-8").replace("Asia/Beirut", "Asia/Beyrouth"), "utf-8")
    done = run("country", "check", wrong)
    assert done.exit_code == 1
    assert "time_zone: There is no such time zone." in done.stdout
