"""Indexes without which what the worker asks each second grows with the country."""

from healthcert.migrations import texts

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
