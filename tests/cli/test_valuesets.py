"""`healthcert valuesets`: newer editions, shown before they change anything."""

from __future__ import annotations

import pytest

from healthcert.data import value_set_files
from healthcert.data.valueset import as_toml, from_toml
from tests.data.test_valueset import RESULTS, edition


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "test-result.json"
    path.write_bytes(edition())
    return path


def test_the_sets_we_have_are_listed(run):
    lines = run("valuesets", "list").stdout.splitlines()
    assert len(lines) == len(value_set_files())
    assert f"{RESULTS:42}  2021-04-27     2  en,ar,fr" in lines


def test_an_edition_is_shown_as_the_difference_it_makes(run, source):
    done = run("valuesets", "import", source)
    assert done.exit_code == 0
    assert '+"new" = "New"' in done.stdout.splitlines()
    assert "-dated = 2021-04-27" in done.stdout.splitlines()


def test_an_edition_is_taken_into_a_folder(run, source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    run("valuesets", "import", source, "--out", out)
    found = from_toml((out / f"{RESULTS}.toml").read_text("utf-8"))
    assert found.codes.keys() == {"new", "260373001", "260415000"}
    assert run("valuesets", "import", source, "--out", out).stdout == ""


def test_a_set_that_is_new_to_us_is_shown_whole(run, source):
    source.write_bytes(edition(valueSetId="measles-vaccines"))
    assert '+id = "measles-vaccines"' in run("valuesets", "import", source).stdout.splitlines()


def test_what_is_no_edition_changes_nothing(run, source, tmp_path):
    held = as_toml(value_set_files()[RESULTS])
    (tmp_path / f"{RESULTS}.toml").write_text(held, "utf-8")
    source.write_bytes(edition(valueSetDate="2020-01-01"))
    assert run("valuesets", "import", source, "--out", tmp_path).exit_code == 2
    assert (tmp_path / f"{RESULTS}.toml").read_text("utf-8") == held
