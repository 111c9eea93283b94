"""People who work here, how they prove it, and who is signed in where."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base, Row, one_of, unique_where
from healthcert.models.triggers.stated import stated

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


class Passkey(Row):
    """The public half of a passkey; the private one never leaves its holder's device."""

    __tablename__ = "passkey"
    __table_args__ = (CheckConstraint("sign_count >= 0", name="sign_count"),)

    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]  # COSE_Key (RFC 9052 section 7)
    name: Mapped[str] = mapped_column(String(60))
    sign_count: Mapped[int]
    backed_up: Mapped[bool]  # whether it is copied beyond its device
    answered: Mapped[bytes | None]  # SHA-256 of the last challenge: no answer counts twice
    used_at: Mapped[datetime | None]


class Password(Base):
    """A password with time codes: the way in for who has no passkey at hand."""

    __tablename__ = "password"
    __table_args__ = (CheckConstraint("tries BETWEEN 0 AND 5", name="tries"),)

    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    recorded_at: Mapped[datetime]
    login: Mapped[str] = mapped_column(String(60), unique=True)
    digest: Mapped[str]  # argon2id, with its salt and cost
    sealed: Mapped[bytes]  # the secret of the time codes, under a key of the service
    last_step: Mapped[int]  # of 30 s since 1970: a code of this step or before is used up
    tries: Mapped[int] = mapped_column(default=0)  # wrong in a row
    tried_at: Mapped[datetime | None]


class StaffLink(Base):
    """Who a member of staff is at the identity provider."""

    __tablename__ = "staff_link"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), unique=True)
    recorded_at: Mapped[datetime]


class Invitation(Row):
    """A code that lets a member of staff in once, to leave a key of their own.

    The first one is made by an administrator or by the operator, and counts once in a lifetime.
    Who lost everything needs a recovery: asked for by one administrator, granted by another.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        one_of("kind", ("first", "recovery")),
        CheckConstraint("approved_by <> requested_by", name="four_eyes"),
        CheckConstraint("approved_by <> staff_id AND requested_by <> staff_id", name="for_another"),
        CheckConstraint(
            "kind = 'first' OR (requested_by IS NOT NULL"
            " AND (digest IS NULL OR approved_by IS NOT NULL))",
            name="recovery_by_two",
        ),
        CheckConstraint("(digest IS NULL) = (expires_at IS NULL)", name="code_ends"),
        CheckConstraint(
            "used_at IS NULL OR (expires_at IS NOT NULL AND used_at < expires_at)",
            name="used_in_time",
        ),
        unique_where("one_first_entry", "staff_id", where="kind = 'first' AND used_at IS NOT NULL"),
        unique_where("one_open_recovery", "staff_id", where="kind = 'recovery' AND digest IS NULL"),
        stated(never_deleted=True),
    )

    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    kind: Mapped[str]
    requested_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    digest: Mapped[bytes | None] = mapped_column(unique=True)  # HMAC-SHA256 of the code
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class Visit(Base):
    """A browser's session, kept on the server so that it can be ended there.

    The cookie holds a random token; only its hash is stored. `sealed` holds what the visitor
    has typed so far, under a key of the service.
    """

    __tablename__ = "visit"
    __table_args__ = (
        CheckConstraint("staff_id IS NULL OR person_id IS NULL", name="of_one"),
        CheckConstraint(
            "(proved_at IS NULL) = (staff_id IS NULL AND person_id IS NULL)", name="proved"
        ),
        CheckConstraint("locked_at IS NULL OR staff_id IS NOT NULL", name="locked_staff"),
    )

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)  # SHA-256
    sealed: Mapped[bytes]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"), index=True)
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    proved_at: Mapped[datetime | None]  # when who it is was last proved
    device: Mapped[bytes | None] = mapped_column(index=True)  # SHA-256 of the device's cookie
    locked_at: Mapped[datetime | None]  # left on a shared device: opens again by its owner's proof
