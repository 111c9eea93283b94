"""The first tables, as one SQL text a dialect beside this file."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
