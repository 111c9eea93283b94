"""Where and when: sites, clinic sessions and their slots."""

import uuid
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.ext.hybrid import hybrid_method
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, index_where, one_of, unique_where
from healthcert.models.triggers.stated import stated

FACILITIES = ("lift", "toilet", "hearing_loop", "sign_language")
# Pools that places of a slot are kept for; to those that are planned for `waiting`, which a draw is
# about, comes what is freed.
KEPT = ("phone", "walk_in", "second_dose", "waiting")
OPEN = "online"  # the pool of all other places: open to everybody
_ALL_KEPT = " + ".join(f"kept_{p}" for p in KEPT)
_BOOKED, _KEPT = (" - ".join(f"{word}_{p}" for p in KEPT) for word in ("booked", "kept"))
_SHOWN_BY = ("site_id", "day", "product_id")
SESSION_STATES = ("draft", "published", "running", "closed", "cancelled")
SESSION_TRANSITIONS = {
    "draft": ("published", "cancelled"), "published": ("running", "closed", "cancelled"),
    "running": ("closed", "cancelled"),
    "closed": ("published",),  # too early: some of its times are still to come
}  # fmt: skip
CANCELLABLE = tuple(state for state, to in SESSION_TRANSITIONS.items() if "cancelled" in to)


class Site(Row):
    """A place where people are vaccinated."""

    __tablename__ = "site"
    __table_args__ = (
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        Index("ix_site_latitude_longitude", "latitude", "longitude"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    names: Mapped[dict[str, str]]  # by language
    address: Mapped[dict[str, str]]  # by language
    region: Mapped[str]
    latitude: Mapped[float]  # degrees, WGS 84
    longitude: Mapped[float]
    time_zone: Mapped[str]  # IANA name
    step_free: Mapped[bool] = mapped_column(default=False)
    facilities: Mapped[list[str]] = mapped_column(default=list)  # of `FACILITIES`
    languages: Mapped[list[str]] = mapped_column(default=list)  # spoken there, ISO 639-1
    female_vaccinator: Mapped[bool] = mapped_column(default=False)  # on request
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))


class SessionTemplate(Row):
    """What a site does on some weekdays, from which its sessions are made ahead."""

    __tablename__ = "session_template"
    __table_args__ = (
        CheckConstraint("weekdays BETWEEN 1 AND 127", name="weekdays"),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint("ended_from <= last_day", name="ended"),
        CheckConstraint("minutes BETWEEN 5 AND 60", name="minutes"),
        *(CheckConstraint(f"kept_{p} >= 0", name=f"kept_{p}") for p in KEPT),
        CheckConstraint(f"capacity > 0 AND {_ALL_KEPT} <= capacity", name="fits"),
        Index("ix_session_template_made_until", "made_until"),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("product.id"))
    weekdays: Mapped[int]  # a bit each: 1 is Monday, 64 is Sunday
    first_day: Mapped[date]
    last_day: Mapped[date]
    minutes: Mapped[int]  # of a slot
    capacity: Mapped[int]  # of a slot
    kept_phone: Mapped[int] = mapped_column(default=0)
    kept_walk_in: Mapped[int] = mapped_column(default=0)
    kept_second_dose: Mapped[int] = mapped_column(default=0)
    kept_waiting: Mapped[int] = mapped_column(default=0)
    made_until: Mapped[date | None]  # the last day for which sessions were made
    ended_from: Mapped[date | None]  # before its last day: the first on which it makes none


class ClinicSession(Row):
    """One day's work at one site for one programme with one product."""

    __tablename__ = "clinic_session"
    __table_args__ = (
        one_of("state", SESSION_STATES),
        unique_where("one_open_session", *_SHOWN_BY, where="state <> 'cancelled'"),
        Index("ix_clinic_session_site_id_day_product_id_id", *_SHOWN_BY, "id"),
        CheckConstraint("given_up_at IS NULL OR state = 'cancelled'", name="given_up"),
        # Who is still to be booked anew is looked for every minute.
        index_where("ix_clinic_session_cancelled", "day", where="state = 'cancelled'"),
        stated(transitions=SESSION_TRANSITIONS),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("product.id"))
    day: Mapped[date]
    state: Mapped[str]
    template_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("session_template.id"))
    given_up_at: Mapped[datetime | None]  # cancelled for itself: plans that stood have no other


class Slot(Row):
    """A stretch of clinic time with a fixed number of places, some of them kept for a pool.

    The pools are columns of the slot and no table beside it: so one row says, and one CHECK
    holds, that no pool and no sum of them is overdrawn, and one UPDATE takes a place.
    """

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("booked BETWEEN 0 AND capacity", name="booked_fits"),
        *(CheckConstraint(f"booked_{p} BETWEEN 0 AND kept_{p}", name=f"{p}_fits") for p in KEPT),
        # The others have the places that are kept for nobody.
        CheckConstraint(f"booked - {_BOOKED} BETWEEN 0 AND capacity - {_KEPT}", name="open_fits"),
        CheckConstraint("starts_at < ends_at", name="times"),
        UniqueConstraint("session_id", "starts_at"),
        UniqueConstraint("id", "starts_at", "ends_at"),
        Index("ix_slot_starts_at", "starts_at"),
        Index(
            "ix_slot_not_full",
            *("session_id", "starts_at"),
            postgresql_where=text("NOT is_full"),
            sqlite_where=text("is_full = 0"),
        ),
        index_where("ix_slot_waiting", "starts_at", where="kept_waiting > booked_waiting"),
    )

    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("clinic_session.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    booked: Mapped[int] = mapped_column(default=0)  # those of the pools among them
    kept_phone: Mapped[int] = mapped_column(default=0)
    kept_walk_in: Mapped[int] = mapped_column(default=0)
    kept_second_dose: Mapped[int] = mapped_column(default=0)
    kept_waiting: Mapped[int] = mapped_column(default=0)
    booked_phone: Mapped[int] = mapped_column(default=0)
    booked_walk_in: Mapped[int] = mapped_column(default=0)
    booked_second_dose: Mapped[int] = mapped_column(default=0)
    booked_waiting: Mapped[int] = mapped_column(default=0)
    # A column, so that the index of it changes with the last place alone and not with each.
    is_full: Mapped[bool] = mapped_column(Computed("booked >= capacity", persisted=True))

    @hybrid_method
    def places(self, pools: Collection[str] = ()) -> int:
        """Return how many places are free for who may also take those kept for these pools."""
        left = self.capacity - self.booked
        for pool in KEPT:
            if pool not in pools:
                left = left - (getattr(self, f"kept_{pool}") - getattr(self, f"booked_{pool}"))
        return left
