"""What retention and erasure need: who was erased, until when the law keeps, texts that may go."""

from healthcert.migrations import texts

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
