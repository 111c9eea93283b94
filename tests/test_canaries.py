"""The watch over the canaries sees them, in every form and every place, and fails the run."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.canaries import ARABIC, ENGLISH, FRENCH, Watch, traces_in

ROOT = Path(__file__).resolve().parent.parent
PRIVATE = ("family", "given", "family_latin", "given_latin", "phone", "mail")
WORDS = [
    getattr(who, field.name)
    for who in (ARABIC, FRENCH, ENGLISH)
    for field in fields(who)
    if field.name in PRIVATE and getattr(who, field.name)
] + [who.identity.value for who in (ARABIC, FRENCH)]
# Each escapes in a way of its own. Put together when it runs: the file itself must not be found.
TRIED = """
import logging, sys, tempfile
from tests.canaries import watched

BIRD = "".join(["Kan", "aridge"])

def test_logs():
    logging.warning("booked: %s", BIRD)

def test_prints():
    print(BIRD)

def test_complains():
    print(BIRD, file=sys.stderr)

def test_asks():
    asked = {"PATH_INFO": "/clinic/", "QUERY_STRING": "find=" + BIRD}
    watched(lambda environ, start: [])(asked, None)

def test_sends_on():
    application = lambda environ, start: start("303", [("Location", "/people/" + BIRD)])
    watched(application)({"PATH_INFO": "/"}, lambda *told: [])

def test_keeps_still(tmp_path):
    print("a dove")

def test_leaves_a_file(tmp_path):
    (tmp_path / "left.txt").write_text(BIRD)

def test_leaves_a_temporary_file():
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write(BIRD)

def test_fails_at_the_end():
    print("last:", BIRD)  # beside what the files show
"""
PLACES = {
    "test_logs": "a log record of root",
    "test_prints": "Captured stdout call of",
    "test_complains": "Captured stderr call of",
    "test_asks": "a query",
    "test_sends_on": "the header Location",
    "test_leaves_a_file": "left.txt",
    "a temporary file": "/temporary0/",
    "the last test": "Captured stdout call of test_tried.py::test_fails_at_the_end",
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    "form", [str, str.upper, quote, json.dumps, str.encode], ids=lambda form: form.__name__
)
def test_every_private_word_is_seen_in_every_form(word, form):
    assert traces_in(form(word))


def test_what_is_not_of_a_canary_is_not_taken_for_one():
    assert traces_in("canary, Haddad, الخوري, +44 7700 901 234") == []


def test_a_canary_in_a_database_file_is_seen(tmp_path):
    path = tmp_path / "clear.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE person (name TEXT)")
        connection.execute("INSERT INTO person VALUES (?)", (ARABIC.family,))
    connection.close()
    watch = Watch()
    watch.look_at_files(tmp_path)
    path.unlink()
    assert str(path) in watch.told()
    assert watch.told() == ""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> subprocess.CompletedProcess[str]:
    """A run of tests that let a canary escape, in a process of its own; nothing of it stays."""
    folder = tmp_path_factory.mktemp("tried")
    (folder / "test_tried.py").write_text(TRIED, encoding="utf-8")
    words = ["-q", "-p", "tests.canaries", "-p", "no:cacheprovider", f"--basetemp={folder}/left"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-c", os.devnull, str(folder / "test_tried.py")],
        cwd=ROOT, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip
    shutil.rmtree(folder)
    return done


@pytest.mark.parametrize("way", PLACES)
def test_an_escaped_canary_fails_the_run_and_says_where(run, way):
    assert run.returncode == 1
    told = [line for line in run.stdout.splitlines() if line.startswith("A canary escaped: ")]
    told += [line for line in run.stdout.splitlines() if "AssertionError: A canary" in line]
    assert any(f"kanari in {PLACES[way]}" in line or PLACES[way] in line for line in told)


def test_only_what_escaped_fails(run):
    failed = {
        line.partition("::")[2].split()[0]
        for line in run.stdout.splitlines()
        if line.startswith(("FAILED", "ERROR"))
    }
    assert failed == {name for name in PLACES if name.startswith("test_")} | {
        "test_fails_at_the_end"  # when the files are looked at
    }


def test_the_watch_is_kept_over_this_run():
    assert logging.Logger.callHandlers.__module__ == "tests.canaries"
