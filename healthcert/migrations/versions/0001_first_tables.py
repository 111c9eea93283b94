"""The first tables, as one SQL text a dialect beside this file."""

from healthcert.migrations import texts

revision = "0001"
down_revision = None


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
