"""What happened and what is to be said: audit events, and the outbox of messages."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, index_where, one_of
from healthcert.models.triggers.stated import stated

ACTORS = ("citizen", "staff", "system")
CHANNELS = ("sms", "mail", "call")  # a call: somebody at a site tells it
MESSAGE_STATES = ("queued", "sent", "failed")
OPEN_CALL = "state = 'queued' AND channel = 'call'"


class AuditEvent(Row):
    """One act, written inside the deed it tells of; never changed, no personal data in clear."""

    __tablename__ = "audit_event"
    __table_args__ = (
        one_of("actor_kind", ACTORS),
        Index("ix_audit_event_subject", "subject_kind", "subject_id"),
        stated(append_only=True),
    )

    actor_kind: Mapped[str]
    actor_id: Mapped[uuid.UUID | None]
    act: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID | None]
    details: Mapped[dict[str, Any]]


class Message(Row):
    """Something to tell a person, kept until a channel has taken it; its text goes before it."""

    __tablename__ = "message"
    __table_args__ = (
        one_of("channel", CHANNELS),
        one_of("state", MESSAGE_STATES),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_has_time"),
        CheckConstraint("sealed IS NOT NULL OR state <> 'queued'", name="queued_is_whole"),
        CheckConstraint(
            "channel <> 'call' OR (site_id IS NOT NULL AND until IS NOT NULL)", name="call_is_whose"
        ),
        Index("ix_message_state_due_at", "state", "due_at"),
        index_where(
            "ix_message_site_id_until", "site_id", "until",
            where="state = 'queued' AND until IS NOT NULL",
        ),
        index_where("ix_message_channel_until", "channel", "until", where=OPEN_CALL),
        stated(never_deleted="OLD.state = 'queued'", transitions={"queued": ("sent", "failed")}),
    )  # fmt: skip

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    channel: Mapped[str]
    template: Mapped[str]
    language: Mapped[str] = mapped_column(String(2))
    sealed: Mapped[bytes | None]  # address and text, under the person's key
    state: Mapped[str] = mapped_column(default="queued")
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    # Of what bears on somebody so that they are called if need be: whose site calls, until when.
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("site.id"))
    until: Mapped[datetime | None]
    # What it is about, which may end before: an appointment or an offer. No key: those go first.
    about_id: Mapped[uuid.UUID | None]
