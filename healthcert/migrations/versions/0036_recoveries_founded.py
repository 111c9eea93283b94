"""A recovery that was found here names its positive test: each step installs the rules anew."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
