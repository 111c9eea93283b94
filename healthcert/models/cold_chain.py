"""Cold chain: fridges, what was read on them and on vials, and vials that are open."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, index_where, one_of, points_at, unique_where
from healthcert.models.triggers.stated import stated

FRIDGES = ("fridge", "freezer")  # each a range of its own in the file of a vaccine
VVM_STAGES = (1, 2, 3, 4)  # of a vaccine vial monitor (WHO/PQS/E006/IN05); 3 and 4 are turned
VIAL_TRANSITIONS = {"open": ("finished", "discarded")}


class Fridge(Row):
    """A fridge or freezer of a site; one that is gone holds nothing and is read no more."""

    __tablename__ = "fridge"
    __table_args__ = (
        one_of("kind", FRIDGES),
        CheckConstraint("gone_at >= recorded_at", name="gone_after_added"),
        UniqueConstraint("id", "site_id"),
        unique_where("one_fridge_of_a_name", "site_id", "name", where="gone_at IS NULL"),
        stated(never_deleted=True),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    name: Mapped[str]
    kind: Mapped[str]
    gone_at: Mapped[datetime | None]


class ColdReading(Row):
    """What somebody read on a fridge, or on the monitor of a lot's vials; a fact."""

    __tablename__ = "cold_reading"
    __table_args__ = (
        points_at("fridge", "fridge_id site_id", "id site_id"),
        CheckConstraint("celsius BETWEEN -100 AND 60", name="celsius"),
        CheckConstraint("vvm_stage BETWEEN 1 AND 4", name="vvm_stage"),
        CheckConstraint(
            "(fridge_id IS NULL) = (celsius IS NULL) AND (lot_id IS NULL) = (vvm_stage IS NULL)"
            " AND (fridge_id IS NULL) <> (lot_id IS NULL)",
            name="of_one",
        ),
        CheckConstraint("taken_at <= recorded_at", name="taken_before_recorded"),
        UniqueConstraint("id", "site_id"),
        Index("ix_cold_reading_fridge_id_taken_at", "fridge_id", "taken_at"),
        stated(append_only=True),
    )

    fridge_id: Mapped[uuid.UUID | None]
    lot_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lot.id"))
    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    celsius: Mapped[float | None]
    vvm_stage: Mapped[int | None]
    taken_at: Mapped[datetime]
    read_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))


class Vial(Row):
    """A vial that somebody opened, and until when it may be used; what is left, doses tell.

    It was opened when it was recorded. `use_until` may be before that: it was thawed too long ago.
    """

    __tablename__ = "vial"
    __table_args__ = (
        points_at("stock", "site_id lot_id"),
        CheckConstraint("doses BETWEEN 1 AND 100", name="doses"),
        one_of("state", ("open", *VIAL_TRANSITIONS["open"])),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("ended_at >= recorded_at", name="ended_after_opened"),
        Index("ix_vial_site_id_lot_id", "site_id", "lot_id", "recorded_at"),
        index_where("ix_vial_open", "site_id", where="state = 'open'"),
        stated(never_deleted=True, transitions=VIAL_TRANSITIONS),
    )

    site_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID]
    opened_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
    doses: Mapped[int]  # it holds, as its label says or as told
    thawed_on: Mapped[date | None]  # when it came out of the freezer, where somebody said
    use_until: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    ended_at: Mapped[datetime | None]
