"""Who waits where, in what order; and what was announced of a draw."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
