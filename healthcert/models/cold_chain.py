"""Cold chain: fridges, what was read on them, and the clocks of what was thawed or opened."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of
from healthcert.models.triggers.stated import stated

FRIDGES = ("fridge", "freezer")  # each a range of its own in the file of a vaccine
CLOCKS = ("thawed", "opened")  # what starts a clock
VVM_STAGES = (1, 4)  # of a vaccine vial monitor (WHO/PQS/E006); from 3 on it is not to be used


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


class Vial(Row):
    """Doses of a shelf with a clock of their own: a vial that was opened, a tray that was thawed.

    `recorded_at` is when the clock began. Doses leave it as they are given or wasted.
    """

    __tablename__ = "vial"
    __table_args__ = (
        ForeignKeyConstraint(["site_id", "lot_id"], ["stock.site_id", "stock.lot_id"]),
        one_of("kind", CLOCKS),
        CheckConstraint("doses_left BETWEEN 0 AND doses", name="doses_left"),
        CheckConstraint("doses > 0", name="doses"),
        CheckConstraint("use_until > recorded_at", name="use_until"),
        CheckConstraint("vvm_stage BETWEEN 1 AND 4", name="vvm_stage"),
        Index("ix_vial_site_id_lot_id", "site_id", "lot_id"),
        stated(never_deleted=True),
    )

    site_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    doses: Mapped[int]
    doses_left: Mapped[int]
    use_until: Mapped[datetime]
    vvm_stage: Mapped[int | None]  # as seen then; None where the vaccine has no monitor
    begun_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
