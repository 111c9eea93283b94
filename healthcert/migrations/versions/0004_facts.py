"""Doses given elsewhere, test results and recoveries, and certificates of each."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
