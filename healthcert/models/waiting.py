"""Waiting in order: the waiting list, what is offered from it, and the draw that orders it."""

import secrets
import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Tuple,
    UniqueConstraint,
    func,
    text,
    tuple_,
)
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, index_where, one_of, points_at, unique_where
from healthcert.models.triggers.stated import stated

ENTRY_STATES = ("waiting", "offered", "placed", "left", "lapsed")
ENTRY_TRANSITIONS = {
    "waiting": ("offered", "placed", "left"),
    "offered": ("waiting", "placed", "left", "lapsed"),
    "lapsed": ("waiting",),
}
OFFER_STATES = ("open", "accepted", "declined", "lapsed", "withdrawn")
OFFER_TRANSITIONS = {"open": ("accepted", "declined", "lapsed", "withdrawn")}
DRAW_STATES = ("announced", "closed", "drawn", "published", "void")
DRAW_TRANSITIONS = {
    "announced": ("closed", "void"),
    "closed": ("drawn", "void"),
    "drawn": ("published",),
}


class Draw(Row):
    """A draw that anybody can compute again: commitment first, list closed, then the seed."""

    __tablename__ = "draw"
    __table_args__ = (
        one_of("state", DRAW_STATES),
        CheckConstraint("length(commitment) = 32", name="commitment"),  # SHA-256
        CheckConstraint(
            "state IN ('announced', 'void') OR (list_root IS NOT NULL AND entries IS NOT NULL)",
            name="closed_has_list",
        ),
        CheckConstraint(
            "(state IN ('drawn', 'published')) = (seed IS NOT NULL)"
            " AND (seed IS NULL) = (public_value IS NULL)",
            name="seed_after_list",
        ),
        CheckConstraint("entries >= 0", name="entries"),
        UniqueConstraint("id", "programme_id"),
        stated(never_deleted=True, transitions=DRAW_TRANSITIONS),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    state: Mapped[str]
    commitment: Mapped[bytes]
    public_source: Mapped[str]  # named before the list closes
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)  # see `policy.draw.Rules`
    sealed: Mapped[bytes | None]  # the seed, until it is shown
    list_root: Mapped[bytes | None]
    entries: Mapped[int | None]
    seed: Mapped[bytes | None]
    public_value: Mapped[str | None]


class WaitEntry(Row):
    """A person waiting for a place in a programme; order is phase, rank of the draw, since when.

    They wait for one site, for those within some kilometres of it, or for any.
    """

    __tablename__ = "wait_entry"
    __table_args__ = (
        one_of("state", ENTRY_STATES),
        CheckConstraint("rank >= 1", name="rank"),
        CheckConstraint("rank IS NULL OR draw_id IS NOT NULL", name="ranked_by_draw"),
        CheckConstraint("length(token) = 16", name="token"),
        CheckConstraint(
            "within_km IS NULL OR (within_km >= 1 AND site_id IS NOT NULL)", name="around_a_site"
        ),
        points_at("draw", "draw_id programme_id", "id programme_id"),
        UniqueConstraint("draw_id", "rank"),
        UniqueConstraint("id", "person_id"),
        unique_where(
            "one_place_in_the_queue", "person_id", "programme_id",
            where="state IN ('waiting', 'offered')",
        ),
        UniqueConstraint("token"),
        Index(
            "ix_wait_entry_order",
            *("programme_id", "state", "turn_on", text("coalesce(rank, 2147483647)")),
            *("recorded_at", "id"),
        ),
        stated(never_deleted=True, transitions=ENTRY_TRANSITIONS),
    )  # fmt: skip

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("site.id"))
    within_km: Mapped[int | None]
    standby: Mapped[bool] = mapped_column(default=False)  # can come at short notice
    turn_on: Mapped[date]  # the day on which the phase opens that admits them
    phase: Mapped[str] = mapped_column(default="")  # its code
    state: Mapped[str]
    token: Mapped[bytes] = mapped_column(default=lambda: secrets.token_bytes(16))  # in public lists
    draw_group: Mapped[str] = mapped_column(default="")  # whose reserve, as the list has it
    draw_id: Mapped[uuid.UUID | None]
    rank: Mapped[int | None]


class Offer(Row):
    """A freed place offered to one who waits, until a time; one open offer a person and list."""

    __tablename__ = "offer"
    __table_args__ = (
        one_of("state", OFFER_STATES),
        CheckConstraint("ends_at > recorded_at", name="ends_after_start"),
        points_at("wait_entry", "wait_entry_id person_id", "id person_id"),
        # An offer that was taken is an appointment of the same person.
        points_at("appointment", "appointment_id person_id", "id person_id"),
        CheckConstraint("(state = 'accepted') = (appointment_id IS NOT NULL)", name="accepted"),
        unique_where("one_open_offer", "wait_entry_id", where="state = 'open'"),
        Index("ix_offer_slot_id_state", "slot_id", "state"),
        index_where("ix_offer_ends_at", "ends_at", where="state = 'open'"),
        stated(never_deleted=True, transitions=OFFER_TRANSITIONS),
    )

    wait_entry_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    slot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("slot.id"))
    state: Mapped[str]
    ends_at: Mapped[datetime]
    appointment_id: Mapped[uuid.UUID | None]


_NOT_DRAWN = 2147483647
IN_TURN = func.coalesce(WaitEntry.rank, text(f"{_NOT_DRAWN}"))  # as the index has it
IN_ORDER = tuple_(WaitEntry.turn_on, IN_TURN, WaitEntry.recorded_at, WaitEntry.id)


def place_in_line(entry: Any) -> Tuple:  # noqa: ANN401 - or as much of a wait as was read
    """Return where somebody stands, to be compared with `IN_ORDER`."""
    return tuple_(entry.turn_on, entry.rank or _NOT_DRAWN, entry.recorded_at, entry.id)
