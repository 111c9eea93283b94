"""Doses given elsewhere, test results and recoveries, and certificates of each."""

from healthcert.migrations import texts

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
