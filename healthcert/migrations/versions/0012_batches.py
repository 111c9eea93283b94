"""Batches that are being taken in, a piece at a time."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
