"""What search needs: an index of sites by place, and of slots that are not full."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
