"""Our signing keys and their states."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
