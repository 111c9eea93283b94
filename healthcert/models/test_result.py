"""Test results: the fact, and what it is good for."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import one_of
from healthcert.models.finding import Finding, Standing, of_finding, of_standing
from healthcert.models.triggers.stated import stated

TEST_TYPES = ("LP6464-4", "LP217198-3")  # LOINC: nucleic acid, rapid antigen
RESULTS = ("260415000", "260373001")  # SNOMED CT: not detected, detected
COUNTS = ("valid", "positive", "unknown", "entered_in_error")


class TestResult(Finding):
    """What a test found. A negative one can be certified, a positive one founds a recovery.

    One that somebody only tells of, or a rapid test of unknown make, is recorded and certifies
    nothing.
    """

    __tablename__ = "test_result"
    __table_args__ = (
        *of_finding("test_result"),
        one_of("test_type", TEST_TYPES),
        one_of("result", RESULTS),
        CheckConstraint("sampled_at <= recorded_at", name="sampled_before_recorded"),
        CheckConstraint("device = '' OR test_type = 'LP217198-3'", name="device"),
        stated(append_only=True),
    )

    test_type: Mapped[str]  # "tt"
    name: Mapped[str] = mapped_column(default="")  # "nm"
    device: Mapped[str] = mapped_column(default="")  # "ma" of a rapid antigen test, JRC number
    result: Mapped[str]  # "tr"
    sampled_at: Mapped[datetime]  # "sc"
    centre: Mapped[str] = mapped_column(default="")  # "tc"
    counts: Mapped[str] = mapped_column(
        Computed(
            "CASE WHEN evidence = 'stated' OR (test_type = 'LP217198-3' AND device = '')"
            " THEN 'unknown' WHEN result = '260373001' THEN 'positive' ELSE 'valid' END",
            persisted=True,
        )
    )


class TestStanding(Standing):
    """Where a test result stands: as it was reckoned at first, or entered in error."""

    __tablename__ = "test_standing"
    __table_args__ = (
        *of_standing(COUNTS),
        UniqueConstraint("test_result_id", "counts"),  # what certificates and recoveries hold
        stated(never_deleted=True),
    )

    test_result_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("test_result.id"), primary_key=True
    )
