"""A person's claim on a place in a slot."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, index_where, one_of, points_at, unique_where
from healthcert.models.place import KEPT, OPEN
from healthcert.models.programme import EXCEPTION_REASONS
from healthcert.models.triggers.stated import stated

STATES = (
    "held", "booked", "arrived", "vaccinated", "not_vaccinated",
    "cancelled", "rescheduled", "no_show", "expired",
)  # fmt: skip
NOT_VACCINATED_REASONS = (
    "refused", "unwell", "contraindicated", "already_had", "no_consent", "no_vaccine", "left",
)  # fmt: skip
ACTIVE = ("held", "booked", "arrived")
SOURCES = ("web", "phone", "ussd", "sms", "partner", "walk_in", "draw")

# Listed transitions, held by the trigger `appointment_transition`.
TRANSITIONS = {
    "not_vaccinated": ("arrived",),  # who left and came back
    "held": ("booked", "expired", "cancelled"),
    "booked": ("arrived", "vaccinated", "cancelled", "rescheduled", "no_show"),
    "arrived": ("vaccinated", "not_vaccinated", "booked"),
    "vaccinated": ("arrived",),  # whose dose was entered in error
    "no_show": ("arrived",),
    "expired": ("booked", "cancelled"),  # a hold that is confirmed late takes a place again
}

# What retention lets go: what holds no place and led to no dose.
_HOLDS_OR_LED = (
    "OLD.state NOT IN ('cancelled', 'rescheduled', 'expired', 'no_show', 'not_vaccinated')"
)
_IS_ACTIVE = "state IN ('held', 'booked', 'arrived')"


class Appointment(Row):
    """One person's place in one slot, for one dose of one programme."""

    __tablename__ = "appointment"
    __table_args__ = (
        # The times are the slot's own, copied so that the database can compare a person's times.
        points_at("slot", "slot_id starts_at ends_at", "id starts_at ends_at"),
        one_of("state", STATES),
        one_of("source", SOURCES),
        one_of("pool", (OPEN, *KEPT)),
        CheckConstraint("dose_number BETWEEN 1 AND 9", name="dose_number"),
        CheckConstraint("reminded BETWEEN 0 AND 3", name="reminded"),
        CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held_has_end"),
        unique_where(
            "one_active_appointment", "person_id", "programme_id", "dose_number", where=_IS_ACTIVE
        ),
        Index("ix_appointment_person_id_starts_at", "person_id", "starts_at"),
        Index("ix_appointment_slot_id", "slot_id"),
        index_where("ix_appointment_held_until", "held_until", where="held_until IS NOT NULL"),
        index_where("ix_appointment_party_id", "party_id", where="party_id IS NOT NULL"),
        Index("ix_appointment_state_ends_at", "state", "ends_at"),  # who did not come, every second
        Index("uq_appointment_person", "id", "person_id", unique=True),  # what others point at
        stated(never_deleted=_HOLDS_OR_LED, transitions=TRANSITIONS),
    )

    reference: Mapped[str] = mapped_column(String(12), unique=True)  # HC-7K4M-2QXD
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    slot_id: Mapped[uuid.UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    dose_number: Mapped[int]
    state: Mapped[str]
    held_until: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(default="web")
    pool: Mapped[str] = mapped_column(default=OPEN)  # which places of the slot it takes from
    party_id: Mapped[uuid.UUID | None]  # of those that were held together
    reminded: Mapped[int] = mapped_column(default=0)  # 1, 2: before the day; 3: of having missed it
    # Why a nurse took them out of turn: it holds when the same is judged again.
    exception_reason: Mapped[str | None] = mapped_column(
        one_of("exception_reason", EXCEPTION_REASONS)
    )
    # Why nothing was given, where it ended so; of one of before this was kept, the audit knows.
    why_not: Mapped[str | None] = mapped_column(one_of("why_not", NOT_VACCINATED_REASONS))
