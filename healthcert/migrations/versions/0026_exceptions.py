"""A nurse's exception stays with the appointment; doses of a lot, of a site and day; what is told later."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
