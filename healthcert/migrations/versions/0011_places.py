"""Hours and facts of sites, places kept for pools, counts by two people."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
