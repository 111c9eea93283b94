"""The clinic of the services' tests, to attack."""

from tests.services.conftest import clinic, country, vault  # noqa: F401 - fixtures
