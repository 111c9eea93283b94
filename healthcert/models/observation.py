"""After the needle: until when somebody who was given a dose is watched, and when they left."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of, points_at
from healthcert.models.triggers.stated import stated

TRANSITIONS = {"observed": ("left", "left_early")}


class Observation(Row):
    """The watch over a person after a dose; whether they left early, the times themselves say."""

    __tablename__ = "observation"
    __table_args__ = (
        points_at("dose", "dose_id person_id", "id person_id"),
        one_of("state", ("observed", "left", "left_early")),
        CheckConstraint("until > recorded_at", name="until"),
        CheckConstraint("left_at >= recorded_at", name="left_after"),
        CheckConstraint("(state = 'observed') = (left_at IS NULL)", name="left"),
        CheckConstraint("(left_at IS NULL) = (noted_by IS NULL)", name="noted"),
        CheckConstraint(
            "state = 'observed' OR (state = 'left_early') = (left_at < until)", name="early"
        ),
        Index("ix_observation_site_id_state", "site_id", "state"),
        stated(never_deleted=True, transitions=TRANSITIONS),
    )

    dose_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    until: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="observed")
    left_at: Mapped[datetime | None]
    noted_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
