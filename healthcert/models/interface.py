"""What programs come with, and what they were answered."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base


class ApiToken(Base):
    """What a program shows in the place of a member of staff or a citizen; it ends by itself.

    Only its hash is stored. Whoever ends it deletes it: it opens nothing from then on.
    """

    __tablename__ = "api_token"
    __table_args__ = (
        CheckConstraint("length(token_hash) = 32", name="hash_is_a_digest"),
        CheckConstraint("(staff_id IS NULL) <> (person_id IS NULL)", name="of_one"),
        CheckConstraint("ends_at > recorded_at", name="ends_after_start"),
        Index("ix_api_token_staff_id", "staff_id"),
        Index("ix_api_token_person_id", "person_id"),
    )

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)  # SHA-256
    recorded_at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(60))  # what its owner calls the program
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    acts: Mapped[str]  # those it may do, a blank apart; empty for all of its owner's
    reads_only: Mapped[bool]
    ends_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]


class ApiAnswer(Base):
    """What was answered to a request that carried an idempotency key; kept for a day, sealed."""

    __tablename__ = "api_answer"
    __table_args__ = (
        CheckConstraint("length(key_hash) = 32", name="key_is_a_digest"),
        CheckConstraint("length(asked_hash) = 32", name="asked_is_a_digest"),
        CheckConstraint("length(sealed) <= 262144", name="sealed_is_bounded"),
        Index("ix_api_answer_ends_at", "ends_at"),
    )

    key_hash: Mapped[bytes] = mapped_column(primary_key=True)  # SHA-256 of who, and their key
    asked_hash: Mapped[bytes]  # SHA-256 of the whole request
    sealed: Mapped[bytes]  # status and body, under a key of the service
    ends_at: Mapped[datetime]
