"""Who waits where, in what order; and what was announced of a draw."""

from healthcert.migrations import texts

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
