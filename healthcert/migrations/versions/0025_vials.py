"""Vials that are open, and readings of the monitors on vials."""

from healthcert.migrations import texts

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
