"""A month ends with sums that come out, and with certificates on what counts alone."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

from sqlalchemy import and_, func, select

from healthcert import models
from healthcert.gateways import seal_files
from healthcert.models import (
    Certificate,
    Dose,
    DoseStanding,
    Person,
    Recovery,
    RecoveryStanding,
    Stock,
    StockMove,
)
from healthcert.services import auditing
from healthcert.services.keys import load_audit_signer, read_secret
from healthcert.services.people import details_of
from healthcert.services.reconciling import differences
from healthcert.services.stock import Shelf
from healthcert.transparency.comparing import Source
from tests.month.simulation import Month

PEOPLE = int(os.environ.get("HEALTHCERT_MONTH", "200"))  # the nightly run asks for 10,000
FEWEST = 120  # with whom every kind of deed still happens
SITES = 5
AFTER = datetime(9999, 1, 1, tzinfo=UTC)  # of whatever was made until now
WORTH = (
    "valid", "too_early", "unknown", "expired_lot", "recalled_lot", "subpotent", "entered_in_error",
)  # fmt: skip
DEEDS = (
    "booked", "cancelled", "moved", "dose", "dose elsewhere", "not_vaccinated", "corrected", "test",
    "recovery", "recovery marked in error", "test marked in error", "found potent", "erased",
    "lot recalled", "lots judged again", "found by name", "signed", "sent", "swept", "let go",
    "lot released by who took it in refused: not_allowed", "held", "confirmed", "confirmed late",
    "hold let go", "held with the second dose", "recall: carry_out",
    "cancelled before the needle",
)  # fmt: skip


def test_after_a_month_every_sum_comes_out(parts, say, engine_name):
    people = PEOPLE if engine_name == "postgresql" else max(FEWEST, PEOPLE // 5)
    month = Month(parts, people=people, site_count=SITES, seed=7)
    began = time.perf_counter()
    month.play()
    took = time.perf_counter() - began
    with parts.doors.reading() as db:
        worth = dict(db.execute(select(DoseStanding.counts, func.count()).group_by("counts")).all())
        say(f"{people} people on {engine_name} in {took:.0f} s; {dict(month.tally)}; {worth}")
        assert differences(db) == []
        assert uncertified(db) == []
        assert certified(db) > people // 2
        assert shelves(db) == dict(month.shelves)
        assert unexplained(db) == 0
        assert audit_findings(db, parts) == []
        everybody_opens_as_they_told(db, month)
    assert set(WORTH) <= set(worth)
    assert [deed for deed in DEEDS if not month.tally[deed]] == []
    assert month.tally["not found by name"] == 0


def certified(db):
    return db.scalar(select(func.count()).where(Certificate.state == "issued"))


def uncertified(db):
    """Return what counts without a certificate, of people whose record was not erased.

    Whoever was erased gets none any more, also where a dose of theirs comes to count later.
    That nothing else is certified is held by the composite key of the table.
    """
    standings = (
        (Dose, Certificate.dose_id, DoseStanding.dose_id),
        (models.TestResult, Certificate.test_result_id, models.TestStanding.test_result_id),
        (Recovery, Certificate.recovery_id, RecoveryStanding.recovery_id),
    )
    return [
        row
        for fact, stated, standing in standings
        for row in db.scalars(
            select(fact.id)
            .join(standing.class_, standing == fact.id)
            .join(Person, Person.id == fact.person_id)
            .outerjoin(Certificate, and_(stated == fact.id, Certificate.state == "issued"))
            .where(standing.class_.counts == "valid", Person.erased_at.is_(None))
            .where(Certificate.id.is_(None))
        )
    ]


def shelves(db):
    return {Shelf(row.site_id, row.lot_id): row.remaining for row in db.scalars(select(Stock))}


def unexplained(db):
    return db.scalar(select(func.count()).where(StockMove.kind == "unexplained"))


def audit_findings(db, parts):
    """Hold the record against its seals, those in the files too; every event must be sealed."""
    private = parts.settings.keys_dir / "development"
    log = load_audit_signer(parts.settings.keys_dir, "development", read_secret(private / "secret"))
    kept = seal_files.read(parts.settings.seals_dir)
    source = Source.of("files", kept, log=log.verifier)
    return auditing.verify(db, log=log.verifier, sources=[source], now=AFTER)


def everybody_opens_as_they_told(db, month):
    people = {one.id: one for one in db.scalars(select(Person).where(Person.erased_at.is_(None)))}
    assert people.keys() == month.who.keys()
    for person_id, told in month.who.items():
        assert details_of(month.vault, people[person_id]) == told
