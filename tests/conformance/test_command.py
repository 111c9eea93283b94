"""`healthcert conformance` on the public test data, laid out again as they were published."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from healthcert.cli import main
from tests.conformance.conftest import case_of

pytestmark = pytest.mark.conformance


def as_published(vector):
    case = case_of(vector)
    return {
        "PREFIX": case.barcode,
        "BASE45": case.base45,
        "COMPRESSED": case.compressed and case.compressed.hex(),
        "COSE": case.cose and case.cose.hex(),
        "CBOR": case.cbor and case.cbor.hex(),
        "JSON": case.json,
        "TESTCTX": {
            "CERTIFICATE": vector.get("cert"),
            "VALIDATIONCLOCK": vector.get("clock"),
            "SCHEMA": case.schema,
        },
        "EXPECTEDRESULTS": {f"EXPECTED{f.upper()}": told for f, told in vector["expect"].items()},
    }


def test_the_command_agrees_with_every_undisputed_verdict(tmp_path, vectors):
    disputed = {(v["id"], flag) for v in vectors for flag in v.get("disputed", {})}
    for vector in vectors:
        country, number = vector["id"].split("/", 1)
        path = tmp_path / country / "2DCode" / "raw" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(as_published(vector)))
    result = CliRunner().invoke(main, ["conformance", "--json", str(tmp_path)])
    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {row["id"] for row in rows} == {vector["id"] for vector in vectors}
    graded = [
        row
        for row in rows
        if (row["id"], row["flag"]) not in disputed and row["flag"] != "picturedecode"
    ]
    assert len(graded) > 2_000
    assert [row for row in graded if row["got"] != row["expected"]] == []
