"""Vials that are open, and readings of the monitors on vials."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
