"""Indexes without which what the worker asks each second grows with the country."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
