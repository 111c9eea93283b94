"""Plans keep places for those who wait, to be offered in the order of a draw."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
