"""Tokens of programs, and what they were answered."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
