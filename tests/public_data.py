"""The public test data beside the checkout: read where it lies, never copied."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("HEALTHCERT_CONFORMANCE") or ROOT.parent / "shared" / "conformance")


def rows(name: str) -> list[dict[str, Any]]:
    """Return the lines of one file of the data; skip the test, aloud, where there is none."""
    if not (FOLDER / name).is_file():
        pytest.skip(f"no public test data at {FOLDER}: set HEALTHCERT_CONFORMANCE")
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]
