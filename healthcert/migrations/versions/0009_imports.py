"""Batches that came in from elsewhere."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
