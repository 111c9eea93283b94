"""The clinic's day: who is watched after a dose, and counts that wait for a second person."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
