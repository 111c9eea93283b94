"""The examples of docs/api.md, one after the other, against a running service."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import requests
from sqlalchemy import select

from healthcert.models import Lot
from tests.certificates import NOW
from tests.web.test_calls import call_for

DOC = Path(__file__).resolve().parents[3] / "docs" / "api.md"
PAIR = re.compile(r"```http\n(.*?)\n```\n```json\n(.*?)\n?```", re.DOTALL)
NAME = re.compile(r"\{(\w+)\}")


class Reader:
    """Sends what the document says and keeps what it names."""

    def __init__(self, address, known):
        """Take where the service runs, and what a reader fills in."""
        self.address, self.known = address, known

    def filled(self, text):
        return NAME.sub(lambda found: str(self.known[found[1]]()), text)

    def send(self, asked):
        head, _blank, body = asked.partition("\n\n")
        first, *lines = head.split("\n")
        method, path = first.split(" ")
        headers = dict(line.split(": ", 1) for line in map(self.filled, lines))
        return requests.request(
            method, self.address + self.filled(path), headers=headers, timeout=30,
            data=self.filled(body).encode() if body else None,
        )  # fmt: skip

    def compare(self, told, wanted):
        """Hold what was told to what the document says; what is new is remembered."""
        if isinstance(wanted, dict):
            for name, value in wanted.items():
                self.compare(told[name], value)
        elif isinstance(wanted, list):
            for one, other in zip(told, wanted, strict=False):
                self.compare(one, other)
            assert len(told) >= len(wanted)
        elif isinstance(wanted, str) and (found := NAME.fullmatch(wanted)):
            known = self.known.setdefault(found[1], lambda: told)()
            assert found[1] == "etag" or known == told
            self.known[found[1]] = lambda: told
        else:
            assert told == wanted

    def answered(self, answer, wanted):
        status, *lines = wanted.split("\n")
        assert answer.status_code == int(status), answer.text
        while lines and not lines[0].startswith("{"):
            name, value = lines.pop(0).split(": ")
            self.compare(answer.headers[name], value)
        if lines:
            self.compare(answer.json(), json.loads("\n".join(lines)))


def clinic_lot(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Lot.id)).one()


def test_every_example_is_answered_as_it_says(served, parts, clinic, token, newest_message):
    nurse, lead, admin = token("nurse"), token("lead"), token("admin")
    tomorrow = (NOW + timedelta(days=1)).date()
    with parts.doors.transaction() as db:
        call_for(parts, clinic.site_id, db)
    reader = Reader(served, {
        "nurse": lambda: nurse, "lead": lambda: lead, "admin": lambda: admin,
        "lot": lambda: clinic.lot, "shelf": lambda: clinic_lot(parts), "now": NOW.isoformat,
        "tomorrow": tomorrow.isoformat,
        "uuid": uuid4, "code": lambda: re.search(r"\d{6}", newest_message("code"))[0],
    })  # fmt: skip
    pairs = PAIR.findall(DOC.read_text(encoding="utf-8"))
    assert len(pairs) == DOC.read_text(encoding="utf-8").count("```http\n")
    for asked, wanted in pairs:
        reader.answered(reader.send(asked), wanted)
