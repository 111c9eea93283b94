"""A plan is ended, and replaced; a session is given up, or cancelled with its day or plan."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
