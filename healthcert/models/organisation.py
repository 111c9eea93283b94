"""Who stands behind sites and staff: a tree of organisations, what they hand on, their devices."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of, points_at
from healthcert.models.triggers.stated import stated

ORGANISATION_KINDS = ("ministry", "agency", "region", "municipality", "provider", "ngo")
DEEPEST = 9


class Organisation(Row):
    """A body in the tree of those that vaccinate, approve and oversee.

    Each stands one level below its parent, which the database compares: so there are no rings.
    """

    __tablename__ = "organisation"
    __table_args__ = (
        one_of("kind", ORGANISATION_KINDS),
        points_at("organisation", "parent_id parent_level", "id level"),
        CheckConstraint(
            "CASE WHEN parent_id IS NULL THEN level = 0 AND parent_level IS NULL"
            " ELSE parent_level IS NOT NULL AND level = parent_level + 1 END",
            name="below_parent",
        ),
        CheckConstraint(f"level BETWEEN 0 AND {DEEPEST}", name="level"),
        UniqueConstraint("id", "level"),
        stated(never_deleted=True),
    )

    code: Mapped[str] = mapped_column(unique=True)
    names: Mapped[dict[str, str]]  # by language
    kind: Mapped[str]
    region: Mapped[str | None]
    parent_id: Mapped[uuid.UUID | None]
    parent_level: Mapped[int | None]
    level: Mapped[int]  # 0 at the top


class Delegation(Row):
    """An act that an organisation lets another, below it, do in its place until a day."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("giver_id <> taker_id", name="to_another"),
        CheckConstraint("ends_at > recorded_at", name="ends_after_start"),
        CheckConstraint("revoked_at >= recorded_at", name="revoked_after_start"),
        stated(never_deleted=True),
    )

    giver_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    taker_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    act: Mapped[str]
    given_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Device(Row):
    """A tablet or laptop of a site, known by the key it signs with when it has no network."""

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint("revoked_at >= recorded_at", name="revoked_after_start"),
        stated(never_deleted=True),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"), index=True)
    name: Mapped[str]
    public_key: Mapped[bytes] = mapped_column(unique=True)  # DER, SubjectPublicKeyInfo
    registered_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
    revoked_at: Mapped[datetime | None]
