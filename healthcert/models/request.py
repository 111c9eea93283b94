"""What someone asks to have decided, and the steps by which several people decide it."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of, points_at
from healthcert.models.triggers.stated import stated

KINDS = ("correction", "foreign_dose", "exemption", "late_record", "recall", "revocation")
STATES = ("submitted", "in_review", "needs_information", "approved", "rejected", "done")
TRANSITIONS = {
    "submitted": ("in_review", "needs_information", "approved", "rejected"),
    "in_review": ("needs_information", "approved", "rejected"),
    "needs_information": ("submitted", "in_review", "rejected"),
    "approved": ("done",),
    "rejected": ("submitted",),
}
ACTS = ("submit", "answer", "verify", "ask", "approve", "reject", "appeal", "carry_out")


class Request(Row):
    """A request and where it stands; its state is that of its newest step and of nothing else."""

    __tablename__ = "request"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("state", STATES),
        CheckConstraint("(state IS NULL) = (steps IS NULL)", name="begins_with_a_step"),
        points_at(
            "request_step",
            "id steps state",
            "request_id ordinal state",
            name="fk_request_newest_step",
            later=True,
        ),
        Index("ix_request_state_due_at", "state", "due_at"),
        stated(never_deleted=True, transitions=TRANSITIONS),
    )

    reference: Mapped[str] = mapped_column(String(12), unique=True)
    kind: Mapped[str]
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    knowledge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("knowledge.id"))  # its workflow
    sealed: Mapped[bytes]  # what is asked, under the person's key or the service's
    subject: Mapped[dict[str, Any]]  # identifiers of rows alone
    due_at: Mapped[datetime]
    state: Mapped[str | None]
    steps: Mapped[int | None]


class RequestStep(Row):
    """One act on a request, by one actor, with a reason from a list; never changed.

    Who verifies, approves or carries out has not acted on it before (`four_eyes`).
    """

    __tablename__ = "request_step"
    __table_args__ = (
        one_of("act", ACTS),
        one_of("state", STATES),
        CheckConstraint("ordinal BETWEEN 1 AND 99", name="ordinal"),
        CheckConstraint("(ordinal = 1) = (act = 'submit')", name="submitted_first"),
        CheckConstraint(
            "act IN ('submit', 'answer', 'appeal') OR staff_id IS NOT NULL", name="staff_decide"
        ),
        CheckConstraint(
            "CASE act WHEN 'submit' THEN state = 'submitted' WHEN 'verify' THEN state = 'in_review'"
            " WHEN 'ask' THEN state = 'needs_information' WHEN 'approve' THEN state = 'approved'"
            " WHEN 'reject' THEN state = 'rejected' WHEN 'carry_out' THEN state = 'done'"
            " ELSE state = 'submitted' END",
            name="act_leads_to_state",
        ),
        UniqueConstraint("request_id", "ordinal"),
        UniqueConstraint("request_id", "ordinal", "state"),
        stated(append_only=True),
    )

    request_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("request.id"))
    ordinal: Mapped[int]
    act: Mapped[str]
    state: Mapped[str]  # which it leads to
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))  # None: the citizen
    reason: Mapped[str]  # a code of the workflow
