"""Certificates: intended, issued, superseded, revoked."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of, unique_where
from healthcert.models.triggers.stated import stated

STATES = ("intended", "issued", "superseded", "revoked")
TRANSITIONS = {
    "intended": ("issued", "revoked"),
    "issued": ("superseded", "revoked"),
    "superseded": ("revoked",),
}

_LIVE = "state IN ('intended', 'issued')"


class Certificate(Row):
    """One signed statement of one counted dose, and the intent to sign it before that.

    While it is live it holds `valid` in `standing_counts`, and with it and `dn` a key of the
    dose's standing: the dose cannot be judged worthless, or counted as another number, before
    the certificate lets go of it.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        ForeignKeyConstraint(
            ["dose_id", "disease", "standing_counts", "dn"],
            [
                "dose_standing.dose_id",
                "dose_standing.disease",
                "dose_standing.counts",
                "dose_standing.number",
            ],
            name="fk_certificate_standing",
        ),
        ForeignKeyConstraint(["dose_id", "person_id"], ["dose.id", "dose.person_id"]),
        one_of("state", STATES),
        CheckConstraint(
            f"CASE WHEN {_LIVE} THEN standing_counts IS NOT NULL AND standing_counts = 'valid'"
            " ELSE standing_counts IS NULL END",
            name="live_holds_standing",
        ),
        CheckConstraint(
            "state IN ('intended', 'revoked') OR (kid IS NOT NULL"
            " AND (sealed IS NOT NULL OR blanked_at IS NOT NULL)"
            " AND issued_at IS NOT NULL AND expires_at IS NOT NULL)",
            name="issued_is_whole",
        ),
        CheckConstraint(
            "blanked_at IS NULL OR (sealed IS NULL"
            " AND expires_at IS NOT NULL AND blanked_at >= expires_at)",
            name="blanked_after_its_end",
        ),
        CheckConstraint("(state = 'revoked') = (revoked_at IS NOT NULL)", name="revoked_has_time"),
        CheckConstraint("dn >= 1 AND sd >= 1", name="doses"),
        unique_where("one_live_certificate", "dose_id", "disease", where=_LIVE),
        Index("ix_certificate_person_id", "person_id"),
        Index("ix_certificate_dose_id", "dose_id"),
        Index("ix_certificate_state", "state"),
        stated(never_deleted=True, transitions=TRANSITIONS),
    )

    person_id: Mapped[uuid.UUID]
    dose_id: Mapped[uuid.UUID]
    disease: Mapped[str]
    standing_counts: Mapped[str | None]
    state: Mapped[str]
    uvci: Mapped[str] = mapped_column(unique=True)
    dn: Mapped[int]  # which dose of the series: the number it counts as
    sd: Mapped[int]
    knowledge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("knowledge.id"))
    kid: Mapped[bytes | None]
    issued_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    sealed: Mapped[bytes | None]  # the HC1 text, under the person's key
    blanked_at: Mapped[datetime | None]  # when the text went, some time after its end
    signature_hash: Mapped[bytes | None]  # 16 bytes, EU revocation hash over r
    uvci_hash: Mapped[bytes | None]  # 16 bytes
    country_uvci_hash: Mapped[bytes | None]  # 16 bytes
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(default="")
