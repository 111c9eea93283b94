"""A clinic with knowledge, staff, lots and open days, committed on each engine."""

from __future__ import annotations

import secrets

import pytest

from healthcert.data import knowledge as files
from healthcert.data.knowledge import Country
from healthcert.db import Doors
from healthcert.gateways.vault import Vault
from tests.services.clinic import Clinic


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault(secrets.token_bytes(32), secrets.token_bytes(32))


@pytest.fixture(scope="session")
def country() -> Country:
    return files.country("XX")


@pytest.fixture
def clinic(doors: Doors, vault: Vault, country: Country) -> Clinic:
    return Clinic.among_the_known(doors, vault, country)
