"""What a test result and a recovery have in common: a fact, and where it stands."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from healthcert.models.base import Base, Row, one_of, points_at
from healthcert.models.dose import EVIDENCE


class Finding(Row):
    """Something found of a person: written down once, never changed.

    `counts` of each kind is reckoned by the database from the row itself. A trigger writes where
    the finding stands; the standing moves once, when it turns out to be entered in error.
    """

    __abstract__ = True

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    disease: Mapped[str]  # SNOMED CT, value set "tg"
    country: Mapped[str | None] = mapped_column(String(2))  # where, if not found by us
    evidence: Mapped[str] = mapped_column(default="given_here")
    sealed: Mapped[bytes | None]  # a note on the evidence, under the person's key
    recorded_on: Mapped[date]
    recorded_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
    replaces: Mapped[uuid.UUID | None] = mapped_column(unique=True)


class Standing(Base):
    """Whether a finding still stands, and who marked it as entered in error, when and why."""

    __abstract__ = True

    counts: Mapped[str]
    marked_at: Mapped[datetime | None]
    marked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(default="")


def of_finding(table: str) -> tuple[SchemaItem, ...]:
    """Return what each table of findings holds its rows to."""
    return (
        one_of("evidence", EVIDENCE),
        CheckConstraint("(evidence = 'given_here') = (country IS NULL)", name="here_or_elsewhere"),
        # What is corrected is a finding of the same person.
        points_at(table, "replaces person_id", "id person_id"),
        UniqueConstraint("id", "person_id"),
        UniqueConstraint("id", "person_id", "disease"),  # what a certificate points at
    )


def of_standing(words: tuple[str, ...]) -> tuple[SchemaItem, ...]:
    """Return what each table of standings holds its rows to."""
    return (
        one_of("counts", words),
        CheckConstraint(
            "CASE WHEN counts = 'entered_in_error' THEN marked_at IS NOT NULL"
            " AND marked_by IS NOT NULL AND length(reason) > 0"
            " ELSE marked_at IS NULL AND marked_by IS NULL AND reason = '' END",
            name="marked",
        ),
    )
