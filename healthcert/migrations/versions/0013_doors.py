"""Whom sites and staff work for, and the roles that issue 5 names."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
