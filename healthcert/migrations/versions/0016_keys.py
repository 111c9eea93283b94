"""Our signing keys and their states."""

from healthcert.migrations import texts

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
