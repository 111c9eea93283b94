"""Before the needle: who agreed, what was asked, and what was decided on the answers."""

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of, points_at
from healthcert.models.triggers.stated import stated

DECISIONS = ("given", "refused", "withdrawn")
DECIDERS = ("self", "parent", "guardian", "carer")
OUTCOMES = ("go", "ask_clinician", "defer", "refuse")
OVERRIDE_REASONS = (
    "history_clarified", "benefit_outweighs", "specialist_advice", "condition_passed",
    "ill_today", "contraindication", "other",
)  # fmt: skip


class Consent(Row):
    """What was decided about vaccinating a person in a programme; the newest row counts."""

    __tablename__ = "consent"
    __table_args__ = (
        one_of("decision", DECISIONS),
        one_of("decided_by", DECIDERS),
        CheckConstraint("(decided_by = 'self') = (sealed IS NULL)", name="other_is_named"),
        CheckConstraint("ordinal >= 1", name="ordinal"),
        UniqueConstraint("person_id", "programme_id", "ordinal"),
        stated(append_only=True),
    )

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    ordinal: Mapped[int]  # 1 for the first decision of this person in this programme
    decision: Mapped[str]
    decided_by: Mapped[str]
    sealed: Mapped[bytes | None]  # the name of whoever decided for the person
    recorded_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))


class Screening(Row):
    """The health questions a person answered, by which version, and what the answers mean."""

    __tablename__ = "screening"
    __table_args__ = (
        points_at("appointment", "appointment_id person_id", "id person_id"),
        one_of("outcome", OUTCOMES),
        stated(append_only=True),
    )

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    appointment_id: Mapped[uuid.UUID | None]
    questions_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("knowledge.id"))
    sealed: Mapped[bytes]  # the answers, under the person's key
    outcome: Mapped[str]
    screened_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))


class Triage(Row):
    """What a clinician decided instead of a screening's outcome, and why; the newest counts."""

    __tablename__ = "triage"
    __table_args__ = (
        one_of("outcome", ("go", "defer", "refuse")),
        one_of("reason", OVERRIDE_REASONS),
        CheckConstraint("until IS NULL OR outcome = 'defer'", name="until"),
        CheckConstraint("ordinal >= 1", name="ordinal"),
        UniqueConstraint("screening_id", "ordinal"),
        stated(append_only=True),
    )

    screening_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("screening.id"))
    ordinal: Mapped[int]
    outcome: Mapped[str]
    reason: Mapped[str]
    until: Mapped[date | None]  # the first day to come again, where it is put off
    decided_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
