"""Certificates: intended, issued, superseded, revoked."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.hcert.payload import Kind
from healthcert.models.base import Row, one_of, points_at, unique_where
from healthcert.models.triggers.stated import stated

STATES = ("intended", "issued", "superseded", "revoked")
TRANSITIONS = {
    "intended": ("issued", "revoked"),
    "issued": ("superseded", "revoked"),
    "superseded": ("revoked",),
}

_LIVE = "state IN ('intended', 'issued')"


def _of_finding(fact: str, standing: str) -> tuple[ForeignKeyConstraint, ForeignKeyConstraint]:
    """Return the two keys that a certificate of a finding holds: its holder, and that it counts."""
    key = f"{fact}_id"
    return (
        points_at(fact, f"{key} person_id disease", "id person_id disease"),
        points_at(standing, f"{key} standing_counts", f"{key} counts"),
    )


class Certificate(Row):
    """One signed statement of one dose, test or recovery that counts, and the intent before that.

    While it is live it holds `valid` in `standing_counts`, and with it (and `dn`) a key of the
    fact's standing: the fact cannot be judged worthless, or a dose counted as another number,
    before the certificate lets go of it.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        points_at(
            "dose_standing",
            "dose_id disease standing_counts dn",
            "dose_id disease counts number",
            name="fk_certificate_standing",
        ),
        points_at("dose", "dose_id person_id", "id person_id"),
        *_of_finding("test_result", "test_standing"),
        *_of_finding("recovery", "recovery_standing"),
        CheckConstraint(
            "CASE WHEN dose_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN test_result_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN recovery_id IS NULL THEN 0 ELSE 1 END = 1",
            name="one_fact",
        ),
        CheckConstraint(
            "(dose_id IS NULL) = (dn IS NULL) AND (dose_id IS NULL) = (sd IS NULL)",
            name="dose_has_number",
        ),
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
        unique_where("one_live_test_certificate", "test_result_id", where=_LIVE),
        unique_where("one_live_recovery_certificate", "recovery_id", where=_LIVE),
        Index("ix_certificate_person_id", "person_id"),
        Index("ix_certificate_dose_id", "dose_id"),
        Index("ix_certificate_state", "state"),
        Index("ix_certificate_kid", "kid", "state", "expires_at"),
        stated(never_deleted=True, transitions=TRANSITIONS),
    )

    person_id: Mapped[uuid.UUID]
    dose_id: Mapped[uuid.UUID | None]
    test_result_id: Mapped[uuid.UUID | None]
    recovery_id: Mapped[uuid.UUID | None]
    disease: Mapped[str]
    standing_counts: Mapped[str | None]
    state: Mapped[str]
    uvci: Mapped[str] = mapped_column(unique=True)
    dn: Mapped[int | None]  # which dose of the series: the number it counts as
    sd: Mapped[int | None]
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

    @property
    def kind(self) -> Kind:
        """What it states: ``v`` a vaccination, ``t`` a test, ``r`` a recovery."""
        if self.dose_id is not None:
            return "v"
        return "t" if self.test_result_id is not None else "r"

    @property
    def fact_id(self) -> uuid.UUID | None:
        """What it rests on: the identifier of its dose, test or recovery."""
        return self.dose_id or self.test_result_id or self.recovery_id
