"""Whom a programme admits when, and what was decided of a person."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of, points_at
from healthcert.models.triggers.stated import stated

OUTCOMES = ("eligible", "refused", "exception")
EXCEPTION_REASONS = ("medical_need", "contact_of_case", "end_of_day_dose", "carer", "other")


class Phase(Row):
    """A stretch of a programme that admits some people; published once, it never changes.

    A new version of the programme's file has phases of its own; those of the version that the
    programme points at are in force.
    """

    __tablename__ = "phase"
    __table_args__ = (
        UniqueConstraint("knowledge_id", "code"),
        UniqueConstraint("id", "programme_id", "knowledge_id", name="uq_phase_mirror"),
        CheckConstraint("closes_on IS NULL OR opens_on <= closes_on", name="opens_first"),
        stated(append_only=True),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    knowledge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("knowledge.id"))
    code: Mapped[str]
    names: Mapped[dict[str, str]]  # by language
    admits: Mapped[dict[str, Any]]  # what it asks, see `policy.eligibility`
    opens_on: Mapped[date]
    closes_on: Mapped[date | None]
    published_at: Mapped[datetime]


class EligibilityDecision(Row):
    """What was decided of a person for a day, by which rule and why; a new one is a new row.

    `sealed` holds the facts it was decided by, under the person's key: birth date and what was
    told. The reasons name what a phase asks, never what is on record.
    """

    __tablename__ = "eligibility_decision"
    __table_args__ = (
        points_at(
            "phase",
            "phase_id programme_id knowledge_id",
            "id programme_id knowledge_id",
            name="fk_eligibility_decision_phase",
        ),
        one_of("outcome", OUTCOMES),
        CheckConstraint("(outcome = 'eligible') = (phase_id IS NOT NULL)", name="admitted_by"),
        CheckConstraint(
            "(outcome = 'exception') = (length(exception_reason) > 0)"
            " AND (outcome <> 'exception' OR decided_by IS NOT NULL)",
            name="exception_has_reason",
        ),
        Index("ix_eligibility_decision_person_id_programme_id", "person_id", "programme_id"),
        stated(append_only=True),
    )

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    knowledge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("knowledge.id"))
    phase_id: Mapped[uuid.UUID | None]
    day: Mapped[date]  # on which the person would be vaccinated
    outcome: Mapped[str]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    decided_at: Mapped[datetime]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    exception_reason: Mapped[str] = mapped_column(default="")
    sealed: Mapped[bytes]
