"""`healthcert certificates ask|revoke`: three officers, a preview, and no names."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from sqlalchemy import select

from healthcert.config import Settings
from healthcert.jobs.certificates import sign_pending
from healthcert.models import Person, new_id
from healthcert.parts import open_parts
from healthcert.services import holds, requests
from tests.factories import NOW, make_admin
from tests.services.clinic import Clinic, details


@pytest.fixture
def service(run, tmp_path, sqlite_template):  # noqa: ARG001 - sets the environment
    """A clinic in the command's own database, with one certified test; its officers."""
    shutil.copy(sqlite_template, tmp_path / "healthcert.db")
    parts = open_parts(Settings.from_env(os.environ))
    clinic = Clinic.opened(parts.doors, parts.vault, parts.country, parts.signers.values())
    clinic.tested(clinic.book(clinic.slot(), details()).person_id)
    sign_pending(parts, NOW)
    with parts.doors.transaction() as db:
        officers = [make_admin(db).id for _ in range(3)]
    yield parts, clinic, officers
    parts.close()


def test_asked_looked_at_approved_and_carried_out(run, service):
    _parts, clinic, (one, two, three) = service
    asked = run("certificates", "ask", "--staff", clinic.nurse.id, "--reason", "fraud", "--by", one)
    assert asked.exit_code == 0, asked.output
    which = asked.stdout.strip()
    shown = json.loads(run("certificates", "revoke", which, "--json").stdout)
    assert (shown["state"], shown["certificates"], shown["done"]) == ("submitted", 1, 0)
    assert "anari" not in json.dumps(shown).casefold()
    early = run("certificates", "revoke", which, "--carry-out", "--by", three)
    assert early.exit_code == 1
    assert run("certificates", "revoke", which, "--approve", "--by", two).exit_code == 0
    assert run("certificates", "revoke", which, "--carry-out", "--by", two).exit_code == 1
    done = run("certificates", "revoke", which, "--carry-out", "--by", three)
    assert "state: done" in done.stdout
    assert "done: 1" in done.stdout
    assert "certificates: 0" in done.stdout


def test_what_is_no_withdrawal_is_neither_shown_nor_approved(run, service):
    parts, _clinic, (_one, two, _three) = service
    with parts.doors.transaction() as db:
        other = requests.submit(
            db, vault=parts.vault, country="XX", kind="recall", subject={}, reason="regulator",
            person=db.scalars(select(Person)).one(), asked={}, staff=None, now=NOW,
        ).reference  # fmt: skip
    for reference in (other, "HC-0000-0000"):
        done = run("certificates", "revoke", reference, "--approve", "--by", two)
        assert done.exit_code == 1
    with parts.doors.reading() as db:
        assert requests.found(db, reference=other).state == "submitted"


def test_nobody_that_is_not_staff_asks(run, service):
    _parts, clinic, _officers = service
    done = run(
        "certificates", "ask", "--site", clinic.site.id, "--reason", "fraud", "--by", new_id()
    )
    assert done.exit_code == 1
    assert "no such member of staff" in done.output


def test_what_waits_is_listed_without_a_holders_name(run, service):
    parts, clinic, _officers = service
    assert run("certificates", "held").stdout == ""
    with parts.doors.reading() as db:
        holder = db.scalars(select(Person.id)).one()
    fact = clinic.tested(holder)
    with parts.doors.transaction() as db:
        holds.hold(db, [fact], why="cap", now=NOW)
    told = json.loads(run("certificates", "held", "--json").stdout)
    assert (told["why"], told["of"], told["facts"]) == ("cap", str(clinic.nurse.id), 1)
    line = run("certificates", "held").stdout
    assert line.split()[:3] == ["cap", str(clinic.nurse.id), "1"]
    assert "anari" not in line.casefold()
