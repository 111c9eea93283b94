"""Recoveries: the fact, and whether it stands."""

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, Computed, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import points_at
from healthcert.models.finding import Finding, Standing, of_finding, of_standing
from healthcert.models.triggers.stated import stated

COUNTS = ("valid", "unknown", "entered_in_error")


class Recovery(Finding):
    """A disease that a person went through, by the day of the first positive test.

    What was found here is founded on a positive test result of our own (the rule
    `recovery_founded`; older rows may name none), and stands only as long as that one does.
    """

    __tablename__ = "recovery"
    __table_args__ = (
        *of_finding("recovery"),
        points_at(
            "test_result",
            "test_result_id person_id disease",
            "id person_id disease",
            name="fk_recovery_test_result",
        ),
        CheckConstraint("first_positive_on <= recorded_on", name="found_before_recorded"),
        CheckConstraint(
            "first_positive_on < valid_from AND valid_from <= valid_until", name="validity"
        ),
        UniqueConstraint("id", "test_result_id"),
        stated(append_only=True),
    )

    test_result_id: Mapped[uuid.UUID | None]
    first_positive_on: Mapped[date]  # "fr"
    valid_from: Mapped[date]  # "df", by the country's data
    valid_until: Mapped[date]  # "du"
    counts: Mapped[str] = mapped_column(
        Computed("CASE WHEN evidence = 'stated' THEN 'unknown' ELSE 'valid' END", persisted=True)
    )


class RecoveryStanding(Standing):
    """Where a recovery stands; while it does, it holds the positive test it is founded on."""

    __tablename__ = "recovery_standing"
    __table_args__ = (
        *of_standing(COUNTS),
        points_at("recovery", "recovery_id test_result_id", "id test_result_id"),
        points_at("test_standing", "test_result_id test_counts", "test_result_id counts"),
        CheckConstraint(
            "CASE WHEN counts = 'entered_in_error' OR test_result_id IS NULL"
            " THEN test_counts IS NULL"
            " ELSE test_counts IS NOT NULL AND test_counts = 'positive' END",
            name="holds_its_test",
        ),
        UniqueConstraint("recovery_id", "counts"),  # what a certificate holds
        stated(never_deleted=True),
    )

    recovery_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("recovery.id"), primary_key=True)
    test_result_id: Mapped[uuid.UUID | None]
    test_counts: Mapped[str | None]
