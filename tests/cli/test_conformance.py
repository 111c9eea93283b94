"""`healthcert conformance`: the published test data, as its issuers laid it out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from healthcert.cli import main
from healthcert.hcert import b45decode, inflate, qr, safe_cbor
from tests.hcert.barcodes import SIGNER, barcode, dcc

FLAGS = ("decode", "verify", "schemavalidation", "validobject", "validjson", "encode", "unprefix",
         "b45decode", "compression", "keyusage", "expirationcheck", "picturedecode")  # fmt: skip


def made(**changed: Any) -> dict[str, Any]:
    """A file of test data about a good certificate, with these members changed."""
    text = barcode()
    compressed = b45decode(text[4:])
    whole = {
        "JSON": dcc(),
        "CBOR": safe_cbor.dumps(dcc()).hex(),
        "COSE": inflate(compressed).hex(),
        "COMPRESSED": compressed.hex(),
        "BASE45": text[4:],
        "PREFIX": text,
        "2DCODE": base64.b64encode(qr.png(text)).decode("ascii"),
        "TESTCTX": {
            "SCHEMA": "1.3.3",
            "CERTIFICATE": base64.b64encode(SIGNER).decode(),
            "VALIDATIONCLOCK": "2026-03-02T12:00:00+02:00",
        },
        "EXPECTEDRESULTS": {f"EXPECTED{flag.upper()}": True for flag in FLAGS},
    }
    return {**whole, **changed}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["conformance", *arguments])


@pytest.fixture
def verdicts(tmp_path):
    """Our verdicts on one file of test data."""

    def judge(told: object) -> dict[str, bool | None]:
        path = tmp_path / "LB" / "2DCode" / "raw" / "1.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(told if isinstance(told, str) else json.dumps(told))
        result = run("--json", str(tmp_path))
        assert result.exit_code == 0, result.output
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert {row["id"] for row in rows} == {"LB/1"}
        return {row["flag"]: row["got"] for row in rows}

    return judge


def test_a_good_certificate_agrees_in_every_flag(verdicts):
    assert verdicts(made()) == dict.fromkeys(FLAGS, True)


WITHOUT = {
    "JSON": {"validobject", "validjson", "encode"},
    "BASE45": {"b45decode"},
    "COMPRESSED": {"compression"},
    "2DCODE": {"picturedecode"},
    "TESTCTX": {"verify", "keyusage", "expirationcheck"},
}


@pytest.mark.parametrize(("part", "flags"), WITHOUT.items())
def test_a_flag_without_its_data_is_left_open(verdicts, part, flags):
    got = verdicts(made(**{part: {} if part == "TESTCTX" else None}))
    assert {flag for flag in FLAGS if got[flag] is None} == flags


def test_what_stands_for_missing_stages_is_in_the_barcode(verdicts):
    assert verdicts(made(CBOR=None, COSE="")) == dict.fromkeys(FLAGS, True)


def test_a_broken_file_of_test_data_is_judged_as_far_as_it_goes(verdicts):
    context = {"SCHEMA": 1, "CERTIFICATE": "AAA", "VALIDATIONCLOCK": "noon"}
    got = verdicts(made(TESTCTX=context, CBOR="xyz", COMPRESSED="0", PREFIX=None, JSON=[]))
    assert (got["unprefix"], got["decode"], got["verify"]) == (False, False, None)


def test_test_data_in_other_forms_are_read_outside_the_guard(verdicts):
    claims = {1: "LB", -260: {1: dcc(meta="2026-03-02T12:00:00Z")}}
    got = verdicts(
        made(CBOR=safe_cbor.dumps(claims).hex(), JSON=dcc(meta="2026-03-02T14:00:00.5+02:00"))
    )
    assert (got["validjson"], got["encode"], got["decode"]) == (True, True, False)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("2026-03-02T12:00:00", True),
        ("2026-03-02T12:00:01Z", False),
        ("2026-03-02", False),
        ("2026-03-02Tnoon", False),
    ],
)
def test_times_are_compared_as_moments(verdicts, other, same):
    told = made(
        CBOR=safe_cbor.dumps(dcc(meta=["2026-03-02T12:00:00Z"])).hex(), JSON=dcc(meta=[other])
    )
    assert verdicts(told)["validjson"] is same


def test_unreadable_cbor_equals_nothing(verdicts):
    got = verdicts(made(CBOR="ff"))
    assert (got["validjson"], got["encode"], got["decode"]) == (False, False, False)


def test_a_signer_that_is_none_allows_nothing(verdicts):
    context = {**made()["TESTCTX"], "CERTIFICATE": "AAAA"}
    got = verdicts(made(TESTCTX=context))
    assert (got["keyusage"], got["verify"]) == (False, False)


@pytest.mark.parametrize("text", ["AAAA", "another certificate", ""])
def test_a_picture_that_is_none_or_says_something_else_does_not_read(verdicts, tmp_path, text):
    picture = base64.b64encode(qr.png("HC1:OTHER")).decode("ascii")
    beside = tmp_path / "LB" / "2DCode" / "PNG" / "1.png"
    beside.parent.mkdir(parents=True)
    beside.write_bytes(qr.png("HC1:OTHER"))
    told = {"AAAA": "AAAA", "another certificate": picture, "": None}[text]
    assert verdicts(made(**{"2DCODE": told}))["picturedecode"] is False


def test_a_table_has_a_row_a_country(tmp_path):
    for country, told in (("LB", made()), ("XX", made(JSON=dcc(dob="1990"), BASE45=None))):
        (tmp_path / country).mkdir()
        (tmp_path / country / "1.json").write_text(json.dumps(told))
    (tmp_path / "other.json").write_text("[")
    result = run(str(tmp_path))
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["country", "ok", "mismatch", "absent"],
        ["LB", "12", "0", "0"],
        ["XX", "8", "3", "1"],
        ["all", "20", "3", "1"],
    ]
    assert "other.json is not a test" in result.stderr


def test_a_folder_without_test_data_is_misuse(tmp_path):
    assert run(str(tmp_path)).exit_code == 2
    assert run(str(tmp_path / "nothing")).exit_code == 2
