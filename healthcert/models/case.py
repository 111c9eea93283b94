"""What people tell us that is no request: feedback, complaints, warnings."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of
from healthcert.models.triggers.stated import stated

KINDS = ("feedback", "complaint", "warning")
STATES = ("new", "assigned", "awaiting_reporter", "resolved", "appealed", "closed")
TRANSITIONS = {
    "new": ("assigned", "closed"),
    "assigned": ("awaiting_reporter", "resolved"),
    "awaiting_reporter": ("assigned", "closed"),
    "resolved": ("appealed", "closed"),
    "appealed": ("assigned", "closed"),
}


class Case(Row):
    """A matter told without an account: found by its reference, opened by its passphrase.

    It names no person and no address. Who handles it never works at the site it is about.
    """

    __tablename__ = "feedback_case"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("state", STATES),
        CheckConstraint("length(passphrase_hash) = 32", name="passphrase"),
        CheckConstraint("state = 'new' OR organisation_id IS NOT NULL", name="handled_by_someone"),
        stated(never_deleted=True, transitions=TRANSITIONS),
    )

    reference: Mapped[str] = mapped_column(String(12), unique=True)
    passphrase_hash: Mapped[bytes]
    kind: Mapped[str]
    state: Mapped[str]
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("site.id"))  # what it is about
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))
    due_at: Mapped[datetime]


class CaseEntry(Row):
    """One thing said in a case, by the reporter or by who handles it; never changed."""

    __tablename__ = "case_entry"
    __table_args__ = (
        CheckConstraint("ordinal >= 1", name="ordinal"),
        UniqueConstraint("case_id", "ordinal"),
        stated(append_only=True),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("feedback_case.id"))
    ordinal: Mapped[int]
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))  # None: the reporter
    sealed: Mapped[bytes]  # the words, under a key of the service
