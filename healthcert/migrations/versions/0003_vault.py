"""Beside each person, the names of the keys that wrap and index them."""

from healthcert.migrations import texts

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
