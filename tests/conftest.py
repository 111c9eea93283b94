"""Fixtures that all tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "conformance"


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The folder of public test data, which is not part of the project; else the test is skipped.

    It lies beside the checkout, or where HEALTHCERT_CONFORMANCE says.
    """
    folder = Path(os.environ.get("HEALTHCERT_CONFORMANCE", _BESIDE))
    if not (folder / "vectors.jsonl").is_file():
        pytest.skip(f"no public test data in {folder}; HEALTHCERT_CONFORMANCE names another place")
    return folder
