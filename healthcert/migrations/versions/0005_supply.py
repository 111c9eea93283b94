"""Stock, the states of lots, consent, screening and adverse events."""

from healthcert.migrations import texts

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
