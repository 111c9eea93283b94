"""Readers that share no code with us, or a loud word that they were not asked."""

from __future__ import annotations

import os

import pytest

from tools import peers


@pytest.fixture(scope="session")
def readers() -> None:
    """The readers are there; where they are not, tests fail if CI=true and are skipped else."""
    if not peers.made():
        told = "no independent reader was asked: python -m tools.peers makes them"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
