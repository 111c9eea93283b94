"""Logs: one object a line, listed fields, and never the text of an error."""

import io
import json
import logging

import pytest

from healthcert import logs


@pytest.fixture
def lines():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.start("INFO", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], level = before
    root.setLevel(level)


def test_only_listed_fields_are_written(lines):
    logging.getLogger("healthcert.web").info("answered", extra={"status": 200})
    logging.getLogger("healthcert.web").debug("too quiet")
    [line] = lines()
    assert (line["message"], line["status"], line["level"]) == ("answered", 200, "info")


def test_a_field_that_is_not_listed_stays_out(lines):
    logging.getLogger("x").info("seen", extra={"family_name": "Haddad"})
    assert "Haddad" not in json.dumps(lines())


def test_an_error_shows_its_place_and_not_its_words(lines):
    try:
        int("born 1980-01-01")
    except ValueError:
        logging.getLogger("x").exception("failed")
    [line] = lines()
    assert line["error"] == "ValueError"
    assert any("test_logs.py" in place for place in line["trace"])
    assert "1980" not in json.dumps(line)
