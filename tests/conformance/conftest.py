"""The public test data as cases."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import base45
import pytest

from healthcert.hcert.grading import Case


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
