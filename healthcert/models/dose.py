"""Doses: the fact, what was judged of it, and where it stands."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base, Row, index_where, one_of, points_at, unique_where
from healthcert.models.triggers.stated import stated

COUNTS = (
    "valid", "too_early", "expired_lot", "recalled_lot", "wrong_product", "duplicate",
    "outside_age", "subpotent", "unknown", "entered_in_error",
)  # fmt: skip
SOURCES = ("point_of_care", "historic", "foreign")
EVIDENCE = ("given_here", "verified", "seen", "stated")  # a certificate that held, a paper, a word
PRECISIONS = ("year", "month", "day")  # of a day that somebody remembers
ROUTES = ("20035000", "20066000", "20030000", "20053000", "20049000")
"""EDQM standard terms: intramuscular, subcutaneous, intradermal, oral, nasal use."""
BODY_SITES = ("LA", "RA", "LT", "RT", "other")  # HL7 v3 ActSite, arms and thighs


class Dose(Row):
    """A dose that was given: a fact, recorded whatever is wrong with it, never changed."""

    __tablename__ = "dose"
    __table_args__ = (
        # The lot in our books, or nothing; `lot_text` is what was read from the vial in any case.
        points_at("lot", "lot_id lot_product_id", "id product_id"),
        CheckConstraint("(lot_id IS NULL) = (lot_product_id IS NULL)", name="lot_whole"),
        CheckConstraint("given_on <= recorded_on", name="given_before_recorded"),
        one_of("source", SOURCES),
        one_of("body_site", BODY_SITES),
        one_of("evidence", EVIDENCE),
        one_of("day_precision", PRECISIONS),
        one_of("route", ROUTES),
        CheckConstraint(
            "CASE WHEN source = 'point_of_care' THEN evidence = 'given_here' AND country IS NULL"
            " AND day_precision = 'day' AND given_at IS NOT NULL AND body_site IS NOT NULL"
            " ELSE evidence <> 'given_here' AND appointment_id IS NULL AND country IS NOT NULL END",
            name="here_or_elsewhere",
        ),
        # What is corrected is a dose of the same person.
        points_at("dose", "replaces person_id", "id person_id"),
        # What judgements and certificates point at.
        UniqueConstraint("id", "person_id", "product_id", "given_on", "source"),
        UniqueConstraint("id", "lot_id"),
        UniqueConstraint("id", "person_id"),
        UniqueConstraint("id", "proof"),
        # An index serves a foreign key as well, and can be added without a new table.
        Index("uq_dose_stock", "id", "lot_id", "site_id", unique=True),
        Index("ix_dose_person_id", "person_id"),
        Index("ix_dose_lot_id_person_id", "lot_id", "person_id"),  # a recall asks for them
        # And for those that were written down before our books knew the lot.
        index_where(
            *("ix_dose_without_lot", "product_id", "lot_text", "person_id"), where="lot_id IS NULL"
        ),
        Index("ix_dose_site_id_recorded_on", "site_id", "recorded_on"),  # what a day came to
        stated(append_only=True),
    )

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("product.id"))
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("site.id"))
    appointment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("appointment.id"))
    performed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    given_at: Mapped[datetime | None]
    given_on: Mapped[date]  # the day at the site; of a month or a year its first
    day_precision: Mapped[str] = mapped_column(default="day")
    recorded_on: Mapped[date]  # the day at the site when it was written down
    lot_text: Mapped[str]
    lot_id: Mapped[uuid.UUID | None]
    lot_product_id: Mapped[uuid.UUID | None]
    body_site: Mapped[str | None]
    route: Mapped[str | None]
    source: Mapped[str] = mapped_column(default="point_of_care")
    country: Mapped[str | None] = mapped_column(String(2))  # where, if not given by us
    evidence: Mapped[str] = mapped_column(default="given_here")
    proof: Mapped[str | None] = mapped_column(
        Computed(
            "CASE WHEN evidence <> 'stated' AND day_precision = 'day' THEN 'enough' END",
            persisted=True,
        )
    )
    sealed: Mapped[bytes | None]  # a note on the evidence, under the person's key
    import_key: Mapped[str | None] = mapped_column(unique=True)  # the same twice is stored once
    recorded_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
    replaces: Mapped[uuid.UUID | None] = mapped_column(unique=True)


class DoseJudgement(Row):
    """What a dose was found to be worth toward one disease; a new finding is a new row.

    A judgement of `valid` at the point of care carries the lot's validity in force that day,
    and the database compares the days. Its trigger moves the dose's `DoseStanding`.
    """

    __tablename__ = "dose_judgement"
    __table_args__ = (
        points_at(
            "dose",
            "dose_id person_id product_id given_on source",
            "id person_id product_id given_on source",
            name="fk_dose_judgement_dose",
        ),
        # What counts is proved: a day that is known, and more than somebody's word.
        points_at("dose", "dose_id valid_proof", "id proof"),
        # A lot judged by is the lot the dose was given from.
        points_at("dose", "dose_id lot_id", "id lot_id"),
        # What counts, counts toward a disease the product protects from; what does not, need not.
        points_at("product_target", "product_id valid_disease", "product_id disease"),
        points_at(
            "lot_validity",
            "lot_validity_id lot_id lot_product_id lot_state lot_released_on lot_expires_on",
            "id lot_id product_id state released_on expires_on",
            name="fk_dose_judgement_lot_validity",
        ),
        CheckConstraint(
            "(lot_validity_id IS NULL) = (lot_id IS NULL)"
            " AND (lot_validity_id IS NULL) = (lot_product_id IS NULL)"
            " AND (lot_validity_id IS NULL) = (lot_state IS NULL)"
            " AND (lot_validity_id IS NULL) = (lot_released_on IS NULL)"
            " AND (lot_validity_id IS NULL) = (lot_expires_on IS NULL)",
            name="lot_whole",
        ),
        CheckConstraint(
            "counts <> 'valid' OR source <> 'point_of_care' OR (lot_validity_id IS NOT NULL"
            " AND lot_product_id = product_id AND lot_state = 'released'"
            " AND given_on BETWEEN lot_released_on AND lot_expires_on)",
            name="valid_lot",
        ),
        CheckConstraint("counts <> 'valid' OR number IS NOT NULL", name="valid_number"),
        CheckConstraint("number BETWEEN 1 AND 9", name="number"),
        CheckConstraint("min_interval_days >= 0", name="interval"),
        CheckConstraint("ordinal >= 1", name="ordinal"),
        # What a person finds has a reason.
        CheckConstraint(
            "counts NOT IN ('entered_in_error', 'subpotent') OR length(reason) > 0",
            name="found_reason",
        ),
        one_of("counts", COUNTS),
        UniqueConstraint("dose_id", "disease", "ordinal"),
        # What the standing mirrors; the number apart, because a half-NULL key passes unseen.
        UniqueConstraint(
            *("id", "dose_id", "disease", "person_id", "counts", "ordinal", "given_on"),
            "min_interval_days",
            name="uq_dose_judgement_mirror",
        ),
        UniqueConstraint("id", "number", name="uq_dose_judgement_mirror_number"),
        stated(append_only=True),
    )

    dose_id: Mapped[uuid.UUID]
    disease: Mapped[str]
    valid_disease: Mapped[str | None] = mapped_column(
        Computed("CASE WHEN counts = 'valid' THEN disease END", persisted=True)
    )
    valid_proof: Mapped[str | None] = mapped_column(
        Computed("CASE WHEN counts = 'valid' THEN 'enough' END", persisted=True)
    )
    ordinal: Mapped[int]  # 1 for the first judgement of this dose toward this disease
    person_id: Mapped[uuid.UUID]
    product_id: Mapped[uuid.UUID]
    given_on: Mapped[date]
    source: Mapped[str]
    counts: Mapped[str]
    number: Mapped[int | None]  # which dose of the series it counts as
    min_interval_days: Mapped[int]  # by the rule it was judged by
    lot_validity_id: Mapped[uuid.UUID | None]
    lot_id: Mapped[uuid.UUID | None]
    lot_product_id: Mapped[uuid.UUID | None]
    lot_state: Mapped[str | None]
    lot_released_on: Mapped[date | None]
    lot_expires_on: Mapped[date | None]
    knowledge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("knowledge.id"))
    reason: Mapped[str] = mapped_column(default="")
    judged_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))


class DoseStanding(Base):
    """Where a dose stands toward a disease now: the newest judgement, kept by its trigger.

    Uniqueness, the interval rule and certificates stand on this row, the only one that changes.
    """

    __tablename__ = "dose_standing"
    __table_args__ = (
        points_at(
            "dose_judgement",
            "judgement_id dose_id disease person_id counts ordinal given_on min_interval_days",
            "id dose_id disease person_id counts ordinal given_on min_interval_days",
            name="fk_dose_standing_mirror",
        ),
        points_at(
            "dose_judgement",
            "judgement_id number",
            "id number",
            name="fk_dose_standing_mirror_number",
        ),
        CheckConstraint("counts <> 'valid' OR number IS NOT NULL", name="valid_number"),
        UniqueConstraint("dose_id", "disease", "counts", "number"),  # what a certificate points at
        unique_where(
            "one_counted_dose", "person_id", "disease", "number", where="counts = 'valid'"
        ),
        stated(never_deleted=True),
    )

    dose_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dose.id"), primary_key=True)
    disease: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[uuid.UUID]
    given_on: Mapped[date]
    number: Mapped[int | None]
    counts: Mapped[str]
    min_interval_days: Mapped[int]
    ordinal: Mapped[int]
    judgement_id: Mapped[uuid.UUID]
