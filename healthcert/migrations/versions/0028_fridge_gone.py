"""A fridge is taken out of use, and its name is free again."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
