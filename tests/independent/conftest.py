"""Readers that share no code with us, or a loud word that they were not asked."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

from tools import peers


@pytest.fixture(scope="session")
def readers() -> None:
    """The readers are there; where they are not, tests fail if CI=true and are skipped else."""
    if not peers.made():
        _not_asked("no independent reader was asked: python -m tools.peers makes them")


@pytest.fixture(scope="session")
def zbar() -> str:
    """The program `zbarimg`; without it its tests fail if CI=true and are skipped else."""
    found = shutil.which("zbarimg")
    return found or _not_asked("zbar was not asked: the package zbar-tools brings it")


def _not_asked(told: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(told)
    pytest.skip(told)
