"""The vault and the country of the month."""

from tests.services.conftest import country, vault

__all__ = ["country", "vault"]
