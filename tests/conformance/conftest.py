"""The public test data as cases, and the table of verdicts at the end of the run."""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import base45
import pytest

from healthcert.hcert.grading import Case

TALLY: pytest.StashKey[Counter[tuple[str, bool, bool]]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLY] = Counter()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Counter[tuple[str, bool, bool]]:
    """How often a flag's verdict was expected and agreed: counts of (flag, expected, agrees)."""
    return pytestconfig.stash[TALLY]


@pytest.fixture(scope="session")
def vectors(conformance: Path) -> list[dict[str, Any]]:
    lines = (conformance / "vectors.jsonl").read_text("utf-8").strip().split("\n")
    return [json.loads(line) for line in lines]


def case_of(vector: dict[str, Any]) -> Case:
    """A vector as a case; stages that follow from the barcode are made by others' code."""
    raw = {name: bytes.fromhex(vector[name]) if name in vector else None
           for name in ("compressed", "cose", "cbor")}  # fmt: skip
    text = vector.get("base45", vector["barcode"].removeprefix("HC1:"))
    if raw["compressed"] is None and vector["expect"].get("b45decode", True):
        raw["compressed"] = base45.b45decode(text)
    if raw["cose"] is None and vector["expect"].get("compression", True) and raw["compressed"]:
        raw["cose"] = zlib.decompress(raw["compressed"])
    return Case(
        barcode=vector["barcode"],
        signer=base64.b64decode(vector["cert"]) if vector.get("cert") else None,
        at=datetime.fromisoformat(vector["clock"]) if vector.get("clock") else None,
        schema=vector.get("schema"),
        base45=text,
        json=vector.get("json"),
        **raw,
    )


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for report in terminalreporter.stats.get("skipped", []):
        if isinstance(report.longrepr, tuple) and "public test data" in report.longrepr[2]:
            terminalreporter.line(f"conformance was not tested: {report.longrepr[2]}")
            return
    tally = config.stash[TALLY]
    if not tally:
        return
    terminalreporter.section("public test data: verdicts by flag")
    line = "{:18} {:>9} {:>9} {:>9} {:>9}"
    terminalreporter.line(line.format("flag", "true: ok", "mismatch", "false: ok", "mismatch"))
    for flag in sorted({flag for flag, _, _ in tally}):
        counts = [tally[flag, told, ok] for told in (True, False) for ok in (True, False)]
        terminalreporter.line(line.format(flag, *counts))
