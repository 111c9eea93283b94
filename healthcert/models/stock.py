"""Stock: what moved, never changed, and what each site has left of a lot, kept by its trigger."""

import uuid
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base, Row, one_of, points_at, unique_where
from healthcert.models.triggers.stated import stated

WASTE_REASONS = (
    "opened_vial", "broken", "contaminated", "cold_chain", "expired", "recalled", "drawn_up",
    "other",
)  # fmt: skip
WRONG_BECAUSE = ("wrong_number", "wrong_lot", "twice", "not_so")
BY_HAND = ("received", "overfill", "wasted", "returned", "transferred_out", "transferred_in")


class Kind(NamedTuple):
    """What moves of a kind do: to which column of `Stock`, more or less, and what they answer."""

    total: str
    sign: int = 1
    answers: str | None = None


MOVES: Mapping[str, Kind] = {  # the one table of them: columns, triggers and sums read it
    **{kind: Kind(kind) for kind in (*BY_HAND, "given", "unexplained")},
    "transferred_in": Kind("transferred_in", answers="transferred_out"),
    "given_back": Kind("given", -1, "given"),
    "explained": Kind("unexplained", -1, "unexplained"),
    "counted": Kind("unexplained"),
    **{f"{kind}_back": Kind(kind, -1, kind) for kind in BY_HAND},
}
TOTALS = tuple(dict.fromkeys(kind.total for kind in MOVES.values()))
_OF_A_DOSE = ("given", "given_back", "unexplained", "explained")
TAKES_BACK = tuple(f"{kind}_back" for kind in BY_HAND)
_FOR_A_REASON = ("wasted", *TAKES_BACK)
_LESS = tuple(kind for kind, row in MOVES.items() if row.sign < 0)
_CALLED_OTHERWISE = {kind: row.total for kind, row in MOVES.items() if row.total != kind}


def _by_kind(words: Mapping[str, str | None], otherwise: str) -> Computed:
    """Return a column whose word follows from the kind of a move, or is `otherwise`."""
    cases = (f"WHEN '{kind}' THEN '{word}'" for kind, word in words.items() if word)
    return Computed(f"CASE kind {' '.join(cases)} ELSE {otherwise} END", persisted=True)


class StockMove(Row):
    """Some doses of a lot that came to a site or left it, in single doses; a fact.

    `given_back` and `explained` take back what an entry in error took, `transferred_in` answers
    `transferred_out`; `counted` is what two people found beyond the balance, or below it, or 0;
    only counts from before step 0011 have no second person. What was written down wrong by hand is
    taken back by its kind with `_back`, and the right move `replaces` it; another does both.
    """

    __tablename__ = "stock_move"
    __table_args__ = (
        one_of("kind", tuple(MOVES)),
        CheckConstraint("quantity > 0 OR kind = 'counted'", name="quantity"),
        CheckConstraint("confirmed_by IS NULL OR kind = 'counted'", name="confirmed"),
        CheckConstraint("confirmed_by <> moved_by", name="two_count"),
        CheckConstraint(f"(kind IN {_OF_A_DOSE}) = (dose_id IS NOT NULL)", name="dose"),
        CheckConstraint("dose_id IS NULL OR quantity = 1", name="one_dose"),
        CheckConstraint("(answers_kind IS NULL) = (answers IS NULL)", name="answers"),
        CheckConstraint(f"(kind IN {_FOR_A_REASON}) = (reason IS NOT NULL)", name="reason"),
        CheckConstraint(f"kind <> 'wasted' OR reason IN {WASTE_REASONS}", name="waste_reason"),
        CheckConstraint(
            f"kind NOT IN {TAKES_BACK} OR reason IN {WRONG_BECAUSE}", name="wrong_because"
        ),
        CheckConstraint(f"replaces IS NULL OR kind IN {BY_HAND}", name="replaces"),
        CheckConstraint("ordinal >= 1", name="ordinal"),
        # The dose was given here, from this lot.
        points_at("dose", "dose_id lot_id site_id", "id lot_id site_id"),
        # An answer is to a move of the right kind, of the same lot, as large, about the same dose.
        points_at(
            "stock_move",
            "answers answers_kind lot_id quantity",
            "id kind lot_id quantity",
            name="fk_stock_move_answers",
        ),
        points_at("stock_move", "answers dose_id", "id dose_id", name="fk_stock_move_answers_dose"),
        UniqueConstraint("answers", "kind"),
        UniqueConstraint("id", "kind", "lot_id", "quantity"),
        UniqueConstraint("id", "dose_id"),
        UniqueConstraint("site_id", "lot_id", "ordinal"),
        unique_where("one_right_move", "replaces", where="replaces IS NOT NULL"),
        unique_where("one_move_a_dose", "dose_id", "kind", where="dose_id IS NOT NULL"),
        Index("ix_stock_move_lot_id", "lot_id"),
        Index("ix_stock_move_site_id_recorded_at", "site_id", "recorded_at"),
        stated(append_only=True),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"))
    lot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lot.id"))
    ordinal: Mapped[int]  # 1 for the first move of this lot at this site
    kind: Mapped[str]
    quantity: Mapped[int]
    total: Mapped[str] = mapped_column(_by_kind(_CALLED_OTHERWISE, "kind"))
    change: Mapped[int] = mapped_column(  # by how much that total grows; below 0, it is less
        Computed(f"CASE WHEN kind IN {_LESS} THEN -quantity ELSE quantity END", persisted=True)
    )
    reason: Mapped[str | None]
    dose_id: Mapped[uuid.UUID | None]
    answers: Mapped[uuid.UUID | None]
    answers_kind: Mapped[str | None] = mapped_column(
        _by_kind({kind: row.answers for kind, row in MOVES.items()}, "NULL")
    )
    replaces: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("stock_move.id"))
    moved_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
    confirmed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))


class StockCount(Row):
    """What one person counted on a shelf at the end of a day, until a second counts as much."""

    __tablename__ = "stock_count"
    __table_args__ = (
        one_of("state", ("open", "confirmed", "dropped")),
        CheckConstraint("found >= 0", name="found"),
        CheckConstraint("confirmed_by <> counted_by", name="two_count"),
        CheckConstraint("(state = 'confirmed') = (confirmed_by IS NOT NULL)", name="confirmed"),
        points_at("stock", "site_id lot_id"),
        unique_where("one_open_count", "site_id", "lot_id", where="state = 'open'"),
        stated(never_deleted=True, transitions={"open": ("confirmed", "dropped")}),
    )

    site_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID]
    found: Mapped[int]  # single doses
    state: Mapped[str] = mapped_column(default="open")
    counted_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
    confirmed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))


class Stock(Base):
    """What a site has left of a lot: the sum of its moves, which alone move it.

    received + overfill + unexplained + transferred_in
    = given + wasted + transferred_out + returned + remaining
    """

    __tablename__ = "stock"
    __table_args__ = (
        CheckConstraint("remaining >= 0", name="remaining"),
        CheckConstraint(
            "received >= 0 AND overfill >= 0 AND transferred_in >= 0 AND given >= 0"
            " AND wasted >= 0 AND transferred_out >= 0 AND returned >= 0",
            name="sums",
        ),
        # The fridge and the reading are of the same site.
        points_at("fridge", "fridge_id site_id", "id site_id"),
        points_at("cold_reading", "set_aside site_id", "id site_id"),
        stated(never_deleted=True),
    )

    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("site.id"), primary_key=True)
    lot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    moves: Mapped[int] = mapped_column(default=0)
    received: Mapped[int] = mapped_column(default=0)
    overfill: Mapped[int] = mapped_column(default=0)
    unexplained: Mapped[int] = mapped_column(default=0)  # below 0 where counts found less
    transferred_in: Mapped[int] = mapped_column(default=0)
    given: Mapped[int] = mapped_column(default=0)
    wasted: Mapped[int] = mapped_column(default=0)
    transferred_out: Mapped[int] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)
    remaining: Mapped[int] = mapped_column(
        Computed(
            "received + overfill + unexplained + transferred_in"
            " - given - wasted - transferred_out - returned",
            persisted=True,
        )
    )
    fridge_id: Mapped[uuid.UUID | None]  # where all of it lies; None: in several, or nobody said
    set_aside: Mapped[uuid.UUID | None]  # the reading for which it waits until it is settled
