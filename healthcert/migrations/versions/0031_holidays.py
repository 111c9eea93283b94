"""Holidays are declared for the sites of an organisation; a closure remembers the one it is of."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
