"""Stock, the states of lots, consent, screening and adverse events."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
