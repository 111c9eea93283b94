"""Places held for a party together, and a pool for those who wait."""

from healthcert.migrations import texts

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
