"""Whose a session is, and how staff prove who they are."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
