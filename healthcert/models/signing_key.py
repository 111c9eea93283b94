"""Our own signing keys: what may sign now, and what verifiers are told of."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base, one_of, unique_where
from healthcert.models.triggers.stated import stated

STATES = ("pending", "published", "active", "retired", "expired", "compromised")
TRANSITIONS = {
    "pending": ("published", "compromised"),
    "published": ("active", "compromised"),
    "active": ("retired", "compromised"),
    "retired": ("expired", "compromised"),
}
LISTED = ("published", "active", "retired")  # verifiers are told of these
_LONG = "known_two_days_before_use"
_TWO_DAYS = {
    "sqlite": "unixepoch(activated_at) - unixepoch(published_at) >= 172800",
    "postgresql": "activated_at >= published_at + interval '48 hours'",
}


class SigningKey(Base):
    """A key that signs certificates of one purpose, from its making to its end.

    A verifier that was offline for two days still knows every key that is in use; which key is
    meant never changes, nor does when it was published or first used (trigger `key_fixed`).
    """

    __tablename__ = "signing_key"
    __table_args__ = (
        CheckConstraint("length(kid) = 8", name="kid"),
        one_of("purpose", ("v", "t", "r")),
        one_of("state", STATES),
        unique_where("one_active_key", "purpose", where="state = 'active'"),
        CheckConstraint(
            "(published_at IS NOT NULL OR state IN ('pending', 'compromised'))"
            " AND (activated_at IS NOT NULL OR state IN ('pending', 'published', 'compromised'))"
            " AND (retired_at IS NOT NULL OR state NOT IN ('retired', 'expired'))"
            " AND (compromised_at IS NOT NULL) = (state = 'compromised')",
            name="state_has_time",
        ),
        CheckConstraint(
            "activated_at IS NULL OR (published_at IS NOT NULL AND signs_until IS NOT NULL)",
            name="used_after_published",
        ),
        *(CheckConstraint(sql, name=_LONG).ddl_if(dialect=on) for on, sql in _TWO_DAYS.items()),
        CheckConstraint("not_before < signs_until AND signs_until <= not_after", name="life"),
        stated(never_deleted=True, transitions=TRANSITIONS),
    )

    kid: Mapped[bytes] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime]
    purpose: Mapped[str]  # ``v``, ``t`` or ``r``
    state: Mapped[str]
    certificate: Mapped[bytes]  # X.509, DER
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    signs_until: Mapped[
        datetime | None
    ]  # signs before it; known at the latest when it is activated
    published_at: Mapped[datetime | None]
    activated_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    compromised_at: Mapped[datetime | None]
