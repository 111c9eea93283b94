"""People who work here, and who is signed in where."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base, Row, one_of

STAFF_ROLES = ("clerk", "nurse", "lead", "admin", "key_officer", "inspector")
WITHOUT_SITE = ("admin", "key_officer", "inspector")


class Staff(Row):
    """A member of staff, with one role: at one site, or for an organisation as a whole."""

    __tablename__ = "staff"
    __table_args__ = (
        one_of("role", STAFF_ROLES),
        CheckConstraint(
            f"role IN {WITHOUT_SITE} OR site_id IS NOT NULL", name="clinic_staff_has_site"
        ),
        # Whoever has a site works for the site's organisation: it is told once.
        CheckConstraint("site_id IS NULL OR organisation_id IS NULL", name="one_employer"),
    )

    name: Mapped[str]
    role: Mapped[str]
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("site.id"))
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))
    active: Mapped[bool] = mapped_column(default=True)


class Visit(Base):
    """A browser's session, kept on the server so that it can be ended there.

    The cookie holds a random token; only its hash is stored. `sealed` holds what the visitor
    has typed so far, under a key of the service.
    """

    __tablename__ = "visit"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)  # SHA-256
    sealed: Mapped[bytes]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
