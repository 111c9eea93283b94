"""What retention and erasure need: who was erased, until when the law keeps, texts that may go."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
