"""Whose a session is, and how staff prove who they are."""

from healthcert.migrations import texts

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
