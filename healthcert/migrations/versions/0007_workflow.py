"""Organisations, proxies, requests, waiting and cases."""

from healthcert.migrations import texts

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    texts.up(__file__)


def downgrade() -> None:
    texts.down(__file__)
