"""What keeps abuse small: counters of tries, alarms, certificates that wait, sites on probation."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base, Row, one_of, unique_where
from healthcert.models.triggers.stated import stated

ALARM_STATES = ("open", "seen", "closed")
HOLDS = ("cap", "probation", "withdrawn")


class LimitCounter(Base):
    """How often something was tried by somebody in a window, which ends by itself."""

    __tablename__ = "limit_counter"
    __table_args__ = (
        CheckConstraint("count >= 1", name="count"),
        CheckConstraint("length(key) = 32", name="key_is_a_digest"),
        Index("ix_limit_counter_ends_at", "ends_at"),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(
        primary_key=True
    )  # HMAC-SHA256: nobody can be read out of it
    ends_at: Mapped[datetime]
    count: Mapped[int]


class Alarm(Row):
    """Something a person should look at; one is open at a time of a kind and a subject."""

    __tablename__ = "alarm"
    __table_args__ = (
        one_of("state", ALARM_STATES),
        CheckConstraint("(state = 'open') = (seen_by IS NULL)", name="seen_by_somebody"),
        CheckConstraint("(state = 'closed') = (reason IS NOT NULL)", name="closed_with_reason"),
        unique_where("one_open_alarm", "kind", "subject_id", where="state <> 'closed'"),
        stated(never_deleted=True, transitions={"open": ("seen", "closed"), "seen": ("closed",)}),
    )

    kind: Mapped[str]  # the deed of `limits.toml`, or what else was noticed
    subject_kind: Mapped[str]  # the name of a table, or ``service``
    subject_id: Mapped[uuid.UUID]  # of a row; all zeros for the service
    state: Mapped[str] = mapped_column(default="open")
    seen_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str | None]  # a code


class CertificateHold(Row):
    """A fact that stands, and whose certificate waits until somebody else has looked at it."""

    __tablename__ = "certificate_hold"
    __table_args__ = (
        one_of("why", HOLDS),
        UniqueConstraint("fact_id", "why"),
        CheckConstraint("released_by <> recorded_by", name="released_by_another"),
        CheckConstraint("(released_by IS NULL) = (released_at IS NULL)", name="released_has_time"),
        Index("ix_certificate_hold_recorded_by", "recorded_by"),
        Index("ix_certificate_hold_site_id", "site_id"),
        stated(never_deleted=True),
    )

    fact_id: Mapped[uuid.UUID]  # a dose, a test result or a recovery
    why: Mapped[str]
    recorded_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))  # who wrote the fact
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("site.id"))
    released_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    released_at: Mapped[datetime | None]


class SiteProbation(Row):
    """A new site: its certificates wait until two officers, one after the other, released it."""

    __tablename__ = "site_probation"
    __table_args__ = (
        CheckConstraint(
            "confirmed_by IS NULL OR (released_by IS NOT NULL AND released_by <> confirmed_by)",
            name="two_officers",
        ),
        stated(never_deleted="OLD.released_by IS NOT NULL"),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"), unique=True)
    released_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    confirmed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
