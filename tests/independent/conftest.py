"""Readers that share no code with us, or a loud word that they were not asked."""

from __future__ import annotations

import os
import subprocess

import pytest

from tools import independent

NOT_ASKED = "no independent reader was asked"


@pytest.fixture(scope="session")
def readers() -> None:
    """Both readers are there; they are made where HEALTHCERT_INDEPENDENT=1, else skipped."""
    if independent.made():
        return
    if os.environ.get("HEALTHCERT_INDEPENDENT") != "1":
        pytest.skip(f"{NOT_ASKED}: python tools/independent.py makes them")
    try:
        independent.make()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.fail(f"{NOT_ASKED}: {error}: {getattr(error, 'stderr', '')}")
