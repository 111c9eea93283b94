"""A recall of all that was ever given is of what was given before its lot was in our books too.

A session that was closed too early may be opened again: each step installs the rules anew.
"""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
