"""Phases, and what was decided of whom, as one SQL text a dialect beside this file."""

from healthcert.migrations import texts

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
