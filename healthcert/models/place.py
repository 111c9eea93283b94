"""Where and when: sites, clinic sessions and their slots."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of

SESSION_STATES = ("draft", "published", "running", "closed", "cancelled")


class Site(Row):
    """A place where people are vaccinated."""

    __tablename__ = "site"
    __table_args__ = (
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    names: Mapped[dict[str, str]]  # by language
    address: Mapped[dict[str, str]]  # by language
    region: Mapped[str]
    latitude: Mapped[float]  # degrees, WGS 84
    longitude: Mapped[float]
    time_zone: Mapped[str]  # IANA name
    step_free: Mapped[bool] = mapped_column(default=False)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))


class ClinicSession(Row):
    """One day's work at one site for one programme with one product."""

    __tablename__ = "clinic_session"
    __table_args__ = (
        one_of("state", SESSION_STATES),
        UniqueConstraint("site_id", "day", "product_id"),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("product.id"))
    day: Mapped[date]
    state: Mapped[str]


class Slot(Row):
    """A stretch of clinic time with a fixed number of places."""

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("booked BETWEEN 0 AND capacity", name="booked_fits"),
        CheckConstraint("starts_at < ends_at", name="times"),
        UniqueConstraint("session_id", "starts_at"),
        UniqueConstraint("id", "starts_at", "ends_at"),
        Index("ix_slot_starts_at", "starts_at"),
    )

    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("clinic_session.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    booked: Mapped[int] = mapped_column(default=0)
