"""An exception stays with its appointment; doses by lot, by site and day; what is told later."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
