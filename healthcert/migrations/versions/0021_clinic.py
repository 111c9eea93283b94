"""The clinic's day: who is watched after a dose, and counts that wait for a second person."""

from healthcert.migrations import texts

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
