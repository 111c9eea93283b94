"""Tokens of programs, and what they were answered."""

from healthcert.migrations import texts

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
