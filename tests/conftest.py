"""Fixtures that all tests may use."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from healthcert.gateways.signer import FileSigner
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.revocation import RevocationList
from healthcert.services.keys import (
    load_signers,
    load_trust,
    make_development_keys,
    read_secret,
)
from tests.certificates import NOW

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


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of development keys; tests read it and never write."""
    folder = tmp_path_factory.mktemp("session") / "keys"
    make_development_keys(folder, country="XX", now=NOW)
    return folder


@pytest.fixture(scope="session")
def bundle(keys_dir: Path) -> Bundle:
    """A bundle made at NOW that trusts `signers` and publishes what XX revoked: nothing."""
    return Bundle(
        version=1,
        issued=NOW,
        expires=NOW + timedelta(days=30),
        previous=b"",
        trust=load_trust(keys_dir / "trust" / "certificates"),
        revocation=RevocationList.of(["XX"], []),
    )


@pytest.fixture(scope="session")
def signers(keys_dir: Path) -> dict[str, FileSigner]:
    """The certificate signers of `keys_dir` by kind."""
    private = keys_dir / "development"
    return load_signers(private, read_secret(private / "secret"))
