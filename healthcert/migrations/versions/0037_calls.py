"""What bears on somebody who cannot be written to is told by a call: whose, and until when."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
