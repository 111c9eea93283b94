"""Hours of a site hold from a day until newer ones begin; what stands covers every day."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
