"""A reaction may be taken back, and be of more kinds; why nothing was given is kept."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
