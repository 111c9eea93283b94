"""Batches that came in from elsewhere."""

from healthcert.migrations import texts

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
