"""Whom sites and staff work for, and the roles that issue 5 names."""

from healthcert.migrations import texts

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
