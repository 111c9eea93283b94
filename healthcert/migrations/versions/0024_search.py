"""What search needs: an index of sites by place, and of slots that are not full."""

from healthcert.migrations import texts

revision = "0024"
down_revision = "0022"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
