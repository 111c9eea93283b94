"""How the audit is sealed: the leaves of its tree, and the heads that were signed.

Nothing here is believed by itself: `services/sealing.py` holds it against what lies elsewhere.
"""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base
from healthcert.models.triggers.stated import stated


class AuditLeaf(Base):
    """The place of one event in the tree; written in bulk, so no foreign key is looked up."""

    __tablename__ = "audit_leaf"
    __table_args__ = (
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint("length(hash) = 32", name="hash"),
        stated(append_only=True),
    )

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    hash: Mapped[bytes]  # SHA-256 of 0 and the entry, see `auditing.entry`


class TreeHead(Base):
    """A tree as it was signed; each is larger than the one before and ends at the newest leaf."""

    __tablename__ = "tree_head"
    __table_args__ = (
        CheckConstraint("size > 0", name="size"),
        CheckConstraint("length(root) = 32", name="root"),
        stated(append_only=True),
    )

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sealed_at: Mapped[datetime] = mapped_column(deferred=True)  # see `sealing.sealed_at`
    root: Mapped[bytes]
    edge: Mapped[bytes]  # its peaks, 32 bytes each: all that the next seal must read
    note: Mapped[str]  # C2SP checkpoint, signed
