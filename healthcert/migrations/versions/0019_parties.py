"""Places held for a party together, and a pool for those who wait."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
