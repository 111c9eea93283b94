"""A national key is no oracle: whatever is asked of whatever door, it signs stored facts alone.

Attack: open or careless issuing endpoints, "sign this hash" (October 2021: codes for people who
never were). `HEALTHCERT_ORACLE` says how many requests; the same seed asks the same.
"""

from __future__ import annotations

import ast
import json
import os
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest
from sqlalchemy import func, select

from healthcert.gateways.signer import Signer
from healthcert.models import Appointment, Certificate, Dose, DoseStanding, SigningKey, new_id
from healthcert.policy.roles import Role
from tests.certificates import make_dcc, make_text
from tests.web.conftest import (
    Browser,
    app,
    book,
    clinic,
    clock,
    enter,
    holder,
    newest_message,
    parts,
    published,
    settings,
    staff,
)
from tests.web.test_clinic import expected, given
from tests.web.test_guards import routes

__all__ = [
    "app", "book", "clinic", "clock", "enter", "expected", "holder", "newest_message", "parts",
    "published", "settings", "staff",
]  # fmt: skip
MANY = int(os.environ.get("HEALTHCERT_ORACLE", "600"))
SEED = 20211026
ROOT = Path(__file__).resolve().parents[2] / "healthcert"
SIGNS = {"Signer", "Pkcs11Signer", "issue_text", "Keyring"}
MAY = {"gateways/signer.py", "gateways/pkcs11_signer.py", "services/issuing.py"}
OPENS = {"services/keys.py", "parts.py", "cli/keys.py"}  # open the keys and hand them on


class Counting(Signer):
    """A signer that counts what it signs."""

    __slots__ = ()
    made: ClassVar[list[bytes]] = []

    def sign(self, to_be_signed: bytes) -> bytes:
        """Sign and count."""
        self.made.append(to_be_signed)
        return super().sign(to_be_signed)


@pytest.fixture
def counted(app, parts):
    """Count the signatures of the application from here on."""
    Counting.made.clear()
    known = {
        each.kid: Counting(each.kid, each.certificate, each.purpose, each._key)  # noqa: SLF001 - itself
        for each in parts.signers.values()
    }
    app.extensions["healthcert"] = replace(parts, signers=known)
    return Counting.made


@pytest.mark.walk
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_no_request_of_anybody_makes_a_signature_without_a_stored_fact(
    app, parts, staff, holder, expected, clinic, counted, signers, say
):
    nurse, path = expected()
    assert nurse.post(f"{path}/dose", given(clinic)).status_code == 303  # one that may be
    assert len(counted) == 1
    asked = {
        None: Browser(app), Role.NURSE: nurse,
        Role.CITIZEN: holder(identity_value="KANARI 654321", slot=1),
        Role.CLERK: staff("clerk"), Role.ADMIN: staff("admin"),
    }  # fmt: skip
    chance, doors = Random(SEED), list(routes(app))
    assert len(doors) <= MANY  # each is asked
    ids = _ids(parts, clinic)
    wishes = _wishes(signers)
    for number in range(MANY):
        rule, method = doors[number % len(doors)]
        browser = asked[chance.choice(list(asked))]
        _ask(browser, rule, method, chance, ids, wishes)
    _only_facts(parts, counted)
    say(f"{MANY} requests of {len(asked)} roles, seed {SEED}: {len(counted)} signatures")


def _ids(parts, clinic) -> list[str]:
    with parts.doors.reading() as db:
        found = [*db.scalars(select(Appointment.id)), *db.scalars(select(Dose.id))]
        found += db.scalars(select(Certificate.id))
    return [str(each) for each in [*found, *clinic.slots, clinic.product_id, new_id()]]


def _wishes(signers) -> list[str]:
    """Return what somebody might like to have signed."""
    barcode = make_text(signers["v"])
    dcc = make_dcc()
    return [barcode, json.dumps(dcc), "a401624652", "00" * 32, "v", "", "1", "2026-03-01", "LA"]


def _ask(browser, rule, method, chance, ids, wishes) -> None:
    """Send one request: a real address, a form token that fits, anything else in it."""
    values = {
        name: chance.choice([*ids, "svg", "pdf"]) if name != "language" else "en"
        for name in rule.arguments
    }
    try:
        path = rule.build(values, append_unknown=False)[1]
    except ValueError:
        return
    names = ("hash", "dcc", "payload", "cbor", "barcode", "person", "dose", "lot", "product")
    names += ("body_site", "given_at", "reason", "state", "sign", "kid", "purpose", "slot")
    told = {name: chance.choice([*wishes, *ids]) for name in chance.sample(names, 6)}
    if method == "GET":
        browser.client.get(path, query_string=told)
    elif chance.random() < 0.4:
        browser.client.open(path, method=method, json=told)
    else:
        page = browser.client.get("/my/sign-in").text
        found = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        form = {"csrf_token": found, **told}
        browser.client.open(path, method=method, data=form)


def _only_facts(parts, counted) -> None:
    with parts.doors.reading() as db:
        signed = db.scalars(select(Certificate).where(Certificate.kid.is_not(None))).all()
        assert len(signed) == len(counted) == len({each.signature_hash for each in signed})
        for each in signed:
            assert db.get_one(Dose, each.dose_id).person_id == each.person_id
            standing = db.get_one(DoseStanding, (each.dose_id, each.disease))
            assert standing.counts == "valid" or each.state == "revoked"
        assert db.scalar(select(func.count()).select_from(SigningKey)) == 3


def test_only_the_issuing_service_uses_what_signs_certificates():
    """What is imported from the signers' modules, and where: the one contract no linter knows."""
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        taken = {
            each.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("healthcert.")
            for each in node.names
        } & SIGNS
        assert not taken or name in MAY | OPENS, f"{name} takes {taken}"
        assert "issue_text" not in taken or name == "services/issuing.py"
