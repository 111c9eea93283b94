"""When a site is open: its hours, from a day on; and when it is not: its closures, holidays."""

import uuid
from datetime import date, datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, points_at, unique_where
from healthcert.models.triggers.stated import stated


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
    __table_args__ = (
        UniqueConstraint("site_id", "day"),
        points_at("holiday", "holiday_id day", "id day"),
        Index("ix_site_closure_holiday_id", "holiday_id"),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    day: Mapped[date]
    holiday_id: Mapped[uuid.UUID | None]  # with which it came, and goes; None: by hand


class Holiday(Row):
    """A day on which people declared that an organisation's sites are closed, and those below it.

    Nothing of it changes but that it is withdrawn, once.
    """

    __tablename__ = "holiday"
    __table_args__ = (
        CheckConstraint("withdrawn_at >= recorded_at", name="withdrawn_after_declared"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn_by_somebody"
        ),
        UniqueConstraint("day", "id"),
        unique_where(
            "one_holiday_of_region", "organisation_id", "region", "day",
            where="withdrawn_at IS NULL",
        ),
        unique_where(
            "one_holiday_of_organisation", "organisation_id", "day",
            where="withdrawn_at IS NULL AND region IS NULL",
        ),
        stated(never_deleted=True),
    )  # fmt: skip

    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    region: Mapped[str | None]  # of the country: only sites there; None for all
    day: Mapped[date]  # on each site's clock
    names: Mapped[dict[str, str]]  # by language
    declared_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
