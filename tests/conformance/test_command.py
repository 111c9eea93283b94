"""`healthcert conformance` on the public test data, laid out again as they were published."""

from __future__ import annotations

import base64
import json

import pytest
from click.testing import CliRunner

from healthcert.cli import main
from healthcert.hcert import qr
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
    ]  # the vectors come without their pictures
    assert len(graded) > 2_000
    assert [row for row in graded if row["got"] != row["expected"]] == []


@pytest.fixture
def pictures(conformance):
    """Each public picture: its bytes, and what is said of it."""
    lines = (conformance / "images.jsonl").read_text("utf-8").splitlines()
    return [
        ((conformance / "images" / row["file"]).read_bytes(), row) for row in map(json.loads, lines)
    ]


@pytest.mark.parametrize("embedded", [True, False], ids=["in the file", "beside it"])
def test_every_public_picture_reads_as_its_barcode(tmp_path, pictures, embedded):
    raw, png = tmp_path / "XX" / "2DCode" / "raw", tmp_path / "XX" / "2DCode" / "png"
    raw.mkdir(parents=True)
    png.mkdir()
    for picture, row in pictures:
        told = {"PREFIX": row["text"], "TESTCTX": {}}
        told["EXPECTEDRESULTS"] = {"EXPECTEDPICTUREDECODE": True}
        name = row["file"].removesuffix(".png")
        if embedded:
            told["2DCODE"] = base64.b64encode(picture).decode("ascii")
        else:
            (png / f"{name}.png").write_bytes(picture)
        (raw / f"{name}.json").write_text(json.dumps(told))
    result = CliRunner().invoke(main, ["conformance", "--json", str(tmp_path)])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == len(pictures) == 49
    assert [row for row in rows if row["got"] is not True] == []


def test_aztec_codes_are_among_the_public_pictures(pictures):
    kinds = [row["kind"] for _, row in pictures]
    found = ["Aztec" if "Aztec" in kind else "QR" for kind in kinds]
    assert found.count("Aztec") == 2
    assert [qr.read(picture)[0].kind for picture, _ in pictures] == found
