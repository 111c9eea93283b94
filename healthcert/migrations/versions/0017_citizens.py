"""What citizens bring: several documents, a card of ours, a national sign-in, invitations."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
