"""The command line in a folder of its own."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from healthcert.cli import main


@pytest.fixture
def run(keys_dir, tmp_path, monkeypatch):
    """Return what runs a command on the development keys, with its data in `tmp_path`."""
    monkeypatch.setenv("HEALTHCERT_KEYS_DIR", str(keys_dir))
    monkeypatch.setenv("HEALTHCERT_DATA_DIR", str(tmp_path))
    runner = CliRunner()

    def run(*arguments, stdin=b""):
        return runner.invoke(main, [str(argument) for argument in arguments], input=stdin)

    return run
