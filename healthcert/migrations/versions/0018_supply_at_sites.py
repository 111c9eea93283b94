"""What sites plan and keep cold: templates of sessions, fridges and their readings."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
