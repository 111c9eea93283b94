"""Fixtures that every floor may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthcert.gateways.signer import FileSigner
from healthcert.services.keys import load_signers, make_development_keys, read_secret
from tests.certificates import NOW


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of development keys; tests read it and never write."""
    folder = tmp_path_factory.mktemp("session") / "keys"
    make_development_keys(folder, country="XX", now=NOW)
    return folder


@pytest.fixture(scope="session")
def signers(keys_dir: Path) -> dict[str, FileSigner]:
    """The certificate signers of `keys_dir` by kind."""
    private = keys_dir / "development"
    return load_signers(private, read_secret(private / "secret"))
