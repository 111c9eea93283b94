"""What sites plan and keep cold: templates of sessions, fridges and their readings."""

from healthcert.migrations import texts

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
