"""A month ends with sums that come out, and with certificates on what counts alone."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

from sqlalchemy import func, select

from healthcert import models
from healthcert.gateways import seal_files
from healthcert.models import (
    Certificate,
    DoseStanding,
    Person,
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

PEOPLE = int(os.environ.get("HEALTHCERT_MONTH", "1000"))
SITES = 5
AFTER = datetime(9999, 1, 1, tzinfo=UTC)  # of whatever was made until now
WORTH = (
    "valid", "too_early", "unknown", "expired_lot", "recalled_lot", "subpotent", "entered_in_error",
)  # fmt: skip
DEEDS = (
    "booked", "cancelled", "moved", "dose", "dose elsewhere", "not_vaccinated", "corrected", "test",
    "recovery", "recovery marked in error", "test marked in error", "found potent", "erased",
    "lot recalled", "lots judged again", "found by name", "signed", "sent", "swept", "let go",
    "lot released by who took it in refused: not_allowed",
)  # fmt: skip


def test_after_a_month_every_sum_comes_out(parts, say, engine_name):
    people = PEOPLE if engine_name == "postgresql" else PEOPLE // 5
    month = Month(parts, people=people, site_count=SITES, seed=7)
    began = time.perf_counter()
    month.play()
    took = time.perf_counter() - began
    with parts.doors.reading() as db:
        worth = dict(db.execute(select(DoseStanding.counts, func.count()).group_by("counts")).all())
        say(f"{people} people on {engine_name} in {took:.0f} s; {dict(month.tally)}; {worth}")
        assert differences(db) == []
        assert issued(db) == certifiable(db)
        assert shelves(db) == dict(month.shelves)
        assert unexplained(db) == 0
        assert audit_findings(db, parts) == []
        everybody_opens_as_they_told(db, month)
    assert set(WORTH) <= set(worth)
    assert [deed for deed in DEEDS if not month.tally[deed]] == []
    assert month.tally["not found by name"] == 0


def issued(db):
    return db.scalar(select(func.count()).where(Certificate.state == "issued"))


def certifiable(db):
    """Count what counts, but for intents that ended with the record of who was erased."""
    facts = sum(
        db.scalar(select(func.count()).where(standing.counts == "valid"))
        for standing in (DoseStanding, models.TestStanding, RecoveryStanding)
    )
    ended = select(func.count()).where(Certificate.revoked_reason == "holder_erased")
    return facts - db.scalar(ended)


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
