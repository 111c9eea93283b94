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
# Put together when it runs: the file itself must not be what is found.
BIRD = "''.join(['Kan', 'aridge'])"
TRIED = {
    "a log record of": f"import logging\ndef test_it(): logging.warning('booked: %s', {BIRD})",
    "Captured stdout": f"def test_it(): print({BIRD})",
    "Captured stderr": f"import sys\ndef test_it(): print({BIRD}, file=sys.stderr)",
    "left.txt": f"def test_it(tmp_path): (tmp_path / 'left.txt').write_text({BIRD})",
    "/temporary": (
        "import tempfile\ndef test_it():\n"
        f"    with tempfile.NamedTemporaryFile('w', delete=False) as file: file.write({BIRD})"
    ),
    "a query": (
        "from tests.canaries import watched\ndef test_it():\n"
        "    asked = {'PATH_INFO': '/clinic/', 'QUERY_STRING': 'find=' + " + BIRD + "}\n"
        "    watched(lambda environ, start: [])(asked, None)"
    ),
    "the header Location": (
        "from tests.canaries import watched\ndef test_it():\n"
        "    sent = [('Location', '/people/' + " + BIRD + ")]\n"
        "    application = lambda environ, start: start('303', sent)\n"
        "    watched(application)({'PATH_INFO': '/'}, lambda *told: [])"
    ),
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


@pytest.mark.parametrize("where", TRIED)
def test_an_escaped_canary_fails_the_run_and_says_where(tmp_path, where):
    done = tried(tmp_path, TRIED[where])
    assert done.returncode == 1, done.stdout
    assert "A canary escaped: kanari in" in done.stdout
    assert where in done.stdout


def test_a_run_without_escapes_passes(tmp_path):
    assert tried(tmp_path, "def test_it(): print('a dove')").returncode == 0


def tried(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """Run one test under the watch, in a process of its own; nothing of it stays."""
    file = folder / "test_tried.py"
    file.write_text(source, encoding="utf-8")
    words = ["-q", "-p", "tests.canaries", "-p", "no:cacheprovider", f"--basetemp={folder}/left"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-c", os.devnull, str(file)],
        cwd=ROOT, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip
    shutil.rmtree(folder)
    return done


def test_the_watch_is_kept_over_this_run():
    assert logging.Logger.callHandlers.__module__ == "tests.canaries"
