"""Organisations, proxies, requests, waiting and cases."""

from healthcert.migrations.texts import step

revision, down_revision, upgrade, downgrade = step(__file__)
