"""When a site is open: its hours, from a day on, and the days on which it is closed."""

import uuid
from datetime import date, time

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row


class SiteHours(Row):
    """One stretch of a weekday on which a site is open, on its own clock; two around a break.

    Those of one `since` hold from that day until newer ones begin. One without a weekday says
    that the site is closed from then on.
    """

    __tablename__ = "site_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("opens < closes", name="times"),
        CheckConstraint(
            "(weekday IS NULL) = (opens IS NULL) AND (opens IS NULL) = (closes IS NULL)",
            name="closed",
        ),
        UniqueConstraint("site_id", "since", "weekday", "opens"),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    since: Mapped[date]
    weekday: Mapped[int | None]  # ISO 8601: 1 is Monday
    opens: Mapped[time | None]
    closes: Mapped[time | None]


class SiteClosure(Row):
    """A day on which a site is closed whatever its hours say: a holiday, a repair."""

    __tablename__ = "site_closure"
    __table_args__ = (UniqueConstraint("site_id", "day"),)

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    day: Mapped[date]
