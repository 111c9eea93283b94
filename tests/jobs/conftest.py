"""The parts of a running service on each engine."""

from __future__ import annotations

import io
import logging
from dataclasses import replace

import pytest

from healthcert import logs
from healthcert.config import Settings
from healthcert.parts import Parts, open_parts
from tests.services.clinic import Clinic


@pytest.fixture
def settings(database_url, keys_dir, tmp_path) -> Settings:
    return Settings.from_env(
        {
            "HEALTHCERT_DATA_DIR": str(tmp_path),
            "HEALTHCERT_KEYS_DIR": str(keys_dir),
            "HEALTHCERT_DATABASE_URL": database_url,
        }
    )


@pytest.fixture
def parts(settings, doors):
    opened = open_parts(settings)
    yield replace(opened, doors=doors)
    opened.close()


@pytest.fixture
def clinic(parts: Parts) -> Clinic:
    return Clinic.among_the_known(parts.doors, parts.vault, parts.country)


@pytest.fixture
def log():
    """What the jobs wrote down."""
    stream = io.StringIO()
    logs.start("INFO", stream)
    yield stream
    logging.getLogger().handlers[:] = []
    logging.getLogger().setLevel(logging.WARNING)
