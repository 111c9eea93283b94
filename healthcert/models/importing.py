"""What came in as a whole from elsewhere, so that it can be told apart and taken back."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of, unique_where
from healthcert.models.triggers.stated import stated

KINDS = ("people", "sites", "staff", "lots", "doses")
STATES = ("taking", "in", "taken_back")
TRANSITIONS = {"taking": ("in", "taken_back"), "in": ("taken_back",)}


class ImportBatch(Row):
    """A file that is taken in, in pieces, or is in wholly; the same file is in once."""

    __tablename__ = "import_batch"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("state", STATES),
        CheckConstraint("(state = 'taken_back') = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("lines >= 0", name="lines"),
        unique_where("one_batch_in", "kind", "sha256", where="state <> 'taken_back'"),
        stated(never_deleted=True, transitions=TRANSITIONS),
    )

    kind: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    lines: Mapped[int]
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[str]
    ended_at: Mapped[datetime | None]


class ImportLine(Row):
    """A row that a line of a batch made."""

    __tablename__ = "import_line"
    __table_args__ = (
        CheckConstraint("number >= 2", name="number"),
        UniqueConstraint("batch_id", "number"),
        stated(append_only=True),
    )

    batch_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("import_batch.id"))
    number: Mapped[int]  # as the spreadsheet counts
    subject_id: Mapped[uuid.UUID]  # a row of the batch's kind
