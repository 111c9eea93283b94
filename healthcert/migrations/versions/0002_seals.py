"""The audit tree: leaves and signed heads."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
