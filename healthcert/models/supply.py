"""What is given: programmes, products and lots, each resting on a version of knowledge."""

import uuid
from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base, Row, one_of, points_at
from healthcert.models.triggers.stated import stated

KNOWLEDGE_KINDS = ("vaccine", "programme", "country")
LOT_STATES = ("quarantined", "released", "recalled", "exhausted")
LOT_TRANSITIONS = {
    "quarantined": ("released", "recalled"),
    "released": ("quarantined", "recalled", "exhausted"),
    "exhausted": ("released", "quarantined", "recalled"),  # some were found; or what was given
}


class Knowledge(Row):
    """One immutable version of a knowledge file, known by the hash of its content."""

    __tablename__ = "knowledge"
    __table_args__ = (one_of("kind", KNOWLEDGE_KINDS), stated(append_only=True))

    kind: Mapped[str]
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    content: Mapped[dict[str, Any]]


class Programme(Row):
    """A vaccination programme against one disease."""

    __tablename__ = "programme"

    code: Mapped[str] = mapped_column(unique=True)
    disease: Mapped[str]  # SNOMED CT code, the EU value set "tg"
    names: Mapped[dict[str, str]]  # by language
    knowledge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("knowledge.id"))


class Product(Row):
    """A vaccine product with the series it is given in."""

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("series_doses BETWEEN 1 AND 9", name="series"),
        CheckConstraint(
            "min_interval_days >= 0 AND target_interval_days >= min_interval_days", name="intervals"
        ),
        CheckConstraint("min_age_years >= 0", name="age"),
    )

    code: Mapped[str] = mapped_column(unique=True)  # EU value set "mp"
    name: Mapped[str]
    vp: Mapped[str]
    ma: Mapped[str]
    series_doses: Mapped[int]
    min_interval_days: Mapped[int]
    target_interval_days: Mapped[int]
    min_age_years: Mapped[int]
    knowledge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("knowledge.id"))


class ProductTarget(Base):
    """A disease that a product protects from; one dose may count toward several."""

    __tablename__ = "product_target"

    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("product.id"), primary_key=True)
    disease: Mapped[str] = mapped_column(primary_key=True)


class Lot(Row):
    """A numbered batch of one product.

    It begins in quarantine. Its newest validity says its state, until nothing of it is left.
    """

    __tablename__ = "lot"
    __table_args__ = (
        UniqueConstraint("product_id", "number"),
        UniqueConstraint("id", "product_id"),
        one_of("state", LOT_STATES),
        stated(never_deleted=True, transitions=LOT_TRANSITIONS),
    )

    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("product.id"))
    number: Mapped[str]
    state: Mapped[str] = mapped_column(default="quarantined")
    received_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))  # not releasing
    judged_up_to: Mapped[int] = mapped_column(default=0)  # validity by which all doses were judged


class LotValidity(Row):
    """From when until when doses of a lot count; an extension or a recall is a new row.

    The newest row whose `since` is not after a day is the one in force on that day. In a
    quarantine before any release, `released_on` is the day the lot came in.
    """

    __tablename__ = "lot_validity"
    __table_args__ = (
        points_at("lot", "lot_id product_id", "id product_id"),
        UniqueConstraint("lot_id", "ordinal"),
        CheckConstraint("ordinal >= 1", name="ordinal"),
        # What a judgement points at, so that the database can compare the days itself.
        UniqueConstraint(
            *("id", "lot_id", "product_id", "state", "released_on", "expires_on"),
            name="uq_lot_validity_mirror",
        ),
        one_of("state", ("quarantined", "released", "recalled")),
        CheckConstraint("released_on <= expires_on", name="released_before_expiry"),
        stated(append_only=True),
    )

    lot_id: Mapped[uuid.UUID]
    product_id: Mapped[uuid.UUID]
    ordinal: Mapped[int]  # 1 for the first validity of the lot
    since: Mapped[date]
    released_on: Mapped[date]
    expires_on: Mapped[date]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    ordered_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
