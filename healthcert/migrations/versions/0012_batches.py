"""Batches that are being taken in, a piece at a time."""

from healthcert.migrations import texts

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
