"""Hours and facts of sites, places kept for pools, counts by two people."""

from healthcert.migrations import texts

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
