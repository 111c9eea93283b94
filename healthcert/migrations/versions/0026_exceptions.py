"""A nurse's exception stays with the appointment; doses of a site and day; what is told later."""

from healthcert.migrations import texts

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
