"""Counters of tries, alarms, certificates that wait, sites on probation."""

from healthcert.migrations import texts

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
