"""What was written stays written, column by column and whatever the statement."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Date,
    Integer,
    LargeBinary,
    String,
    Uuid,
    delete,
    text,
    update,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from healthcert import models
from healthcert.models import (
    AdverseEventEntry,
    AuditEvent,
    AuditLeaf,
    Base,
    Certificate,
    Consent,
    Dose,
    DoseJudgement,
    EligibilityDecision,
    Instant,
    Knowledge,
    LotValidity,
    Phase,
    Recovery,
    Screening,
    StockMove,
    TreeHead,
    Triage,
)
from tests import factories as make
from tests.models.refusals import refused

FACTS = (
    AdverseEventEntry, AuditEvent, AuditLeaf, Consent, Dose, DoseJudgement, EligibilityDecision,
    Knowledge, LotValidity, Phase, Recovery, Screening, StockMove, models.TestResult,
    TreeHead, Triage,
)  # fmt: skip


@pytest.fixture
def facts(db: Session) -> Session:
    """A database with one row in each table of facts."""
    make.make_counted_dose(db)
    make.make_head(db, make.make_event(db))
    make.make_test(db)
    make.make_recovery(db)
    make.make_consent(db)
    make.make_triage(db)
    make.make_move(db, make.make_shelf(db))
    make.make_decision(db)
    make.make_entry(db)
    return db


OTHERS: tuple[tuple[type[TypeEngine[object]], object], ...] = (
    (Uuid, UUID(int=7)),
    (Integer, 7),
    (JSON, {"an": "other"}),
    (Date, make.day(99)),
    (Instant, make.NOW + timedelta(days=99)),
    (LargeBinary, b"another"),
    (String, "another"),
)


def another(column: Column[object]) -> object:
    """Return a value of the column's type that no row has."""
    value = next(value for kind, value in OTHERS if isinstance(column.type, kind))
    return "AQ" if getattr(column.type, "length", None) == 2 else value


@pytest.mark.parametrize("model", FACTS)
def test_no_column_of_a_fact_changes(facts, model):
    table = model.__table__
    for column in [each for each in table.columns if each.computed is None]:
        with refused(facts, "append_only"):
            facts.execute(update(table).values({column.name: another(column)}))


@pytest.mark.parametrize("model", FACTS)
def test_no_fact_is_deleted(facts, model):
    with refused(facts, "append_only"):
        facts.execute(delete(model.__table__))


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "table", [*(model.__tablename__ for model in FACTS), "person", "lot", "certificate"]
)
def test_no_fact_is_truncated_directly_or_by_a_cascade(facts, table):
    with refused(facts, "append_only", "never_deleted"):
        facts.execute(text(f"TRUNCATE {table} CASCADE"))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("model", FACTS)
def test_no_fact_is_replaced(facts, model: type[Base]):
    table = model.__table__
    row = dict(facts.execute(table.select()).mappings().first() or {})
    for column in [each.name for each in table.columns if each.computed is not None]:
        del row[column]
    with refused(facts, "append_only", "consent_follows", "head_grows"):
        facts.execute(sqlite_insert(table).prefix_with("OR REPLACE").values(row))


FREE_ONCE_ISSUED = {
    "state", "standing_counts", "sealed", "blanked_at", "revoked_at", "revoked_reason",
}  # fmt: skip

EMPTY = {"test_result_id", "recovery_id"}  # of a dose's certificate


@pytest.mark.parametrize("state", ["issued", "superseded"])
def test_what_was_signed_does_not_change(db, state):
    dose = make.make_counted_dose(db)
    holds = "valid" if state == "issued" else None
    make.make_certificate(db, dose=dose, **make.issued(state=state, standing_counts=holds))
    columns = Certificate.__table__.columns
    for column in [each for each in columns if each.name not in FREE_ONCE_ISSUED]:
        for value in {another(column)} | ({None} if column.name not in EMPTY else set()):
            with refused(db, "certificate_fixed"):
                db.execute(update(Certificate).values({column.name: value}))


def test_a_revocation_does_not_change(db):
    dose = make.make_counted_dose(db)
    make.make_certificate(db, dose=dose, state="revoked", standing_counts=None, revoked_at=make.NOW)
    for name in ("revoked_at", "revoked_reason"):
        value = another(Certificate.__table__.c[name])
        with refused(db, "certificate_fixed"):
            db.execute(update(Certificate).values({name: value}))


def test_the_seal_of_a_certificate_may_be_renewed(db):
    dose = make.make_counted_dose(db)
    make.make_certificate(db, dose=dose, **make.issued())
    db.execute(update(Certificate).values(sealed=b"under a new key"))
    with refused(db, "certificate_fixed"):
        db.execute(update(Certificate).values(sealed=None))
