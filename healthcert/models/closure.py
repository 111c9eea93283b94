"""When places are closed whatever their hours say: a day of a site, a holiday of many."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, points_at, unique_where
from healthcert.models.triggers.stated import stated


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
    holiday_id: Mapped[
        uuid.UUID | None
    ]  # from which it came, and with which it goes; None: by hand


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
