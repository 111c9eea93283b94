"""Cold chain: fridges, and what was read on them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of
from healthcert.models.triggers.stated import stated

FRIDGES = ("fridge", "freezer")  # each a range of its own in the file of a vaccine


class Fridge(Row):
    """A fridge or freezer of a site."""

    __tablename__ = "fridge"
    __table_args__ = (
        one_of("kind", FRIDGES),
        UniqueConstraint("site_id", "name"),
        UniqueConstraint("id", "site_id"),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    name: Mapped[str]
    kind: Mapped[str]


class ColdReading(Row):
    """What somebody read on a fridge; a fact."""

    __tablename__ = "cold_reading"
    __table_args__ = (
        ForeignKeyConstraint(["fridge_id", "site_id"], ["fridge.id", "fridge.site_id"]),
        CheckConstraint("celsius BETWEEN -100 AND 60", name="celsius"),
        CheckConstraint("taken_at <= recorded_at", name="taken_before_recorded"),
        UniqueConstraint("id", "site_id"),
        Index("ix_cold_reading_fridge_id_taken_at", "fridge_id", "taken_at"),
        stated(append_only=True),
    )

    fridge_id: Mapped[uuid.UUID]
    site_id: Mapped[uuid.UUID]
    celsius: Mapped[float]
    taken_at: Mapped[datetime]
    read_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
