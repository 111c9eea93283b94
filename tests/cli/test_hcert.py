"""`healthcert hcert inspect`: one answer a line, in order, whatever the lines hold."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from healthcert.cli import main
from healthcert.cli.hcert import _MAX_LINE
from healthcert.hcert import encode
from tests.hcert.barcodes import EXPIRES, ISSUED, KID, SIGNER, barcode, claims_of, dcc, signed

TEXT = barcode()
SIGNERS = [base64.b64encode(SIGNER).decode()]
ASKED = {"barcode": TEXT, "certificates": SIGNERS, "at": "2026-03-02T12:00:00Z"}


def ask(*lines: str | bytes | dict[str, Any], file: str = "-") -> list[dict[str, Any]]:
    written = b"\n".join(
        line if isinstance(line, bytes)
        else (line if isinstance(line, str) else json.dumps(line)).encode()
        for line in lines
    )  # fmt: skip
    result = CliRunner().invoke(main, ["hcert", "inspect", file], input=written + b"\n")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.split("\n")[:-1]]


def test_a_line_is_answered_in_full():
    assert ask(ASKED) == [
        {
            "steps": dict.fromkeys(
                ["prefix", "base45", "inflate", "cose", "signature", "key_usage", "payload",
                 "schema", "value_sets", "in_force"], True,
            ),
            "kid": base64.b64encode(KID).decode(),
            "claims": {"iss": "LB", "iat": ISSUED, "exp": EXPIRES},
            "certificate": dcc(),
            "refusal": None,
        }
    ]  # fmt: skip


def test_a_bare_text_is_judged_without_certificates():
    (answer,) = ask(TEXT)
    assert (answer["certificate"], answer["steps"]["signature"]) == (dcc(), None)


def test_a_text_may_be_written_as_json_and_lines_may_end_in_any_way():
    assert ask(json.dumps(TEXT), TEXT + "\r") == ask(TEXT, TEXT)


def test_trust_is_given_for_one_line_alone():
    answers = ask(ASKED, TEXT, {"barcode": TEXT, "certificates": []}, ASKED)
    assert [answer["steps"]["signature"] for answer in answers] == [True, None, None, True]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-02", True),
        ("2026-03-02T12:00:00", True),
        ("2026-03-02T12:00:00.123456789+14:00", True),
        ("2025-01-01T00:00:00Z", False),
        ("2030-01-01T00:00:00Z", False),
        ("0001-01-01T00:00:00+23:59", False),
        ("9999-12-31T23:59:59-23:59", False),
    ],
)
def test_the_moment_may_be_given(at, expected):
    (answer,) = ask({**ASKED, "at": at})
    assert answer["steps"]["in_force"] is expected


def test_without_a_moment_it_is_now():
    long_ago = encode(signed(claims_of(dcc(), issued_at=1, expires_at=2)))
    always = encode(signed(claims_of(dcc(), issued_at=1, expires_at=253_402_300_799)))
    answers = ask(long_ago, always, {"barcode": always, "at": None, "certificates": None})
    assert [answer["steps"]["in_force"] for answer in answers] == [False, True, True]


def test_fractions_come_out_as_they_were_signed():
    (answer,) = ask(encode(signed(claims_of(dcc(), issued_at=1.25, expires_at=2**31))))
    assert answer["claims"] == {"iss": "LB", "iat": 1.25, "exp": 2**31}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "not_a_certificate"),
        ("{", "not_a_certificate"),
        ('{"barcode": ', "not_a_certificate"),
        ('"HC1:', "not_a_certificate"),
        (b"\xff\xfe\x00", "not_a_certificate"),
        ('{"a":' * 100_000, "not_a_certificate"),
        ('{"barcode": ' + "9" * 5000 + "}", "not_a_certificate"),
        ("HC1:\u2028", "malformed_base45"),
        ("{}", "bad_input"),
        ({"barcode": None}, "bad_input"),
        ({"barcode": [TEXT]}, "bad_input"),
        ({**ASKED, "certificates": SIGNERS[0]}, "bad_input"),
        ({**ASKED, "certificates": [1]}, "bad_input"),
        ({**ASKED, "certificates": [None]}, "bad_input"),
        ({**ASKED, "certificates": ["not base64"]}, "bad_input"),
        ({**ASKED, "at": 5}, "bad_input"),
        ({**ASKED, "at": "tomorrow"}, "bad_input"),
        ({**ASKED, "at": "2026-13-01"}, "bad_input"),
        ({**ASKED, "certificates": ["AAAA"]}, "unknown_issuer"),
        (b"x" * (_MAX_LINE * 2 + 5), "not_a_certificate"),
    ],
)
def test_a_hostile_line_gets_its_answer_and_the_next_one_too(line, code):
    first, second = ask(line, ASKED)
    assert (first["refusal"]["code"], second["refusal"]) == (code, None)
    assert first["refusal"]["message"]


def test_a_file_is_read_like_standard_input(tmp_path):
    path = tmp_path / "codes.txt"
    path.write_text(TEXT)  # without a line end
    assert ask(file=str(path)) == ask(TEXT)


def test_a_file_that_is_not_there_is_misuse(tmp_path):
    result = CliRunner().invoke(main, ["hcert", "inspect", str(tmp_path / "nothing")])
    assert result.exit_code == 2


def test_an_answer_comes_before_the_next_question_is_asked():
    command = [sys.executable, "-m", "healthcert", "hcert", "inspect"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for _ in range(2):
            process.stdin.write(json.dumps(ASKED).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["refusal"] is None
        process.stdin.close()
        assert process.wait(timeout=20) == 0
