"""What citizens bring: several documents, a card of ours, a national sign-in, invitations."""

from healthcert.migrations import texts

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
