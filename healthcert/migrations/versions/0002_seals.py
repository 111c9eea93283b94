"""The audit tree: leaves and signed heads."""

from healthcert.migrations import texts

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
