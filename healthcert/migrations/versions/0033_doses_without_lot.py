"""A recall finds doses that were written down before our books knew their lot."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
