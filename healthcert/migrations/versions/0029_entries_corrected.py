"""What was written down wrong of a shelf is taken back by another, and replaced."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
