"""Of a reaction that is grave by a death the outcome is that they died: the rules come anew."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
