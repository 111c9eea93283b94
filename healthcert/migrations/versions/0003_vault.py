"""Beside each person, the names of the keys that wrap and index them."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
