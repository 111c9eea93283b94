"""Counters of tries, alarms, certificates that wait, sites on probation."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
