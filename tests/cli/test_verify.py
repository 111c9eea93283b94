"""`healthcert verify`, `hcert scan` and `hcert names`."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from healthcert.hcert import qr
from tests.certificates import make_text

MINUTE = timedelta(minutes=1)


@pytest.fixture
def text(signers):
    """A certificate in force by the clock of the machine."""
    now = datetime.fromtimestamp(time.time(), UTC)
    return make_text(signers["v"], issued=now - MINUTE, expires=now + timedelta(days=1))


@pytest.fixture
def bundled(run, tmp_path):
    """The same as `run`, with a bundle in place."""
    assert run("bundle", "build", "--out", tmp_path / "bundle.hcb").exit_code == 0
    return run


def verdicts(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def outcomes(done):
    return [verdict["verdict"] for verdict in verdicts(done)]


def test_lines_give_verdicts_in_order_and_blank_lines_nothing(bundled, text):
    done = bundled("verify", stdin=f"{text}\n\n  \r\nHC1:no\n{text}\r\n".encode())
    assert outcomes(done) == ["valid", "invalid", "valid"]
    assert done.exit_code == 1


def test_where_all_are_valid_the_exit_code_says_so(bundled, text, tmp_path):
    (tmp_path / "codes.txt").write_text(text)
    done = bundled("verify", tmp_path / "codes.txt")
    assert outcomes(done) == ["valid"]
    assert done.exit_code == 0
    assert bundled("verify", "-", stdin=b"").exit_code == 0


@pytest.mark.parametrize("where", ["file", "stdin"])
def test_a_picture_is_known_by_its_first_bytes(bundled, text, tmp_path, where):
    picture = qr.png(text)
    (tmp_path / "codes.txt").write_bytes(picture)
    done = (
        bundled("verify", tmp_path / "codes.txt")
        if where == "file"
        else bundled("verify", stdin=picture)
    )
    assert outcomes(done) == ["valid"]
    assert done.exit_code == 0


@pytest.mark.parametrize(
    "picture",
    [b"\x89PNG\r\n\x1a\nbroken", b"GIF89a" + b"\xff" * 10],
    ids=["broken", "too large"],
)
def test_a_picture_that_cannot_be_read_is_no_certificate(bundled, picture):
    done = bundled("verify", stdin=picture)
    assert [verdict["reasons"][0]["code"] for verdict in verdicts(done)] == ["not_a_certificate"]
    assert "picture" in done.stderr
    assert done.exit_code == 1


def test_text_that_only_begins_like_a_picture_is_text(bundled, text):
    done = bundled("verify", stdin=f"RIFF raff\n{text}\n".encode())
    assert outcomes(done) == ["invalid", "valid"]


def test_an_endless_line_is_one_verdict_and_the_next_line_is_read(bundled, text):
    done = bundled("verify", stdin=b"A" * 1_000_000 + b"\n" + text.encode())
    assert outcomes(done) == ["invalid", "valid"]
    done = bundled("verify", stdin=b"RIFF" + b"A" * 1_000_000 + b"\n" + text.encode())
    assert outcomes(done) == ["invalid", "valid"]


def test_another_time_and_a_country_are_judged(bundled, text):
    tomorrow = (datetime.fromtimestamp(time.time(), UTC) + timedelta(days=2)).isoformat()
    done = bundled("verify", "--country", "fr", "--at", tomorrow, stdin=text.encode())
    (verdict,) = verdicts(done)
    codes = [reason["code"] for reason in verdict["reasons"]]
    assert codes == ["expired", "no_requirement", "simulated"]
    assert done.exit_code == 1


def test_a_time_without_a_zone_is_utc(bundled, text):
    done = bundled("verify", "--at", "2020-01-01T00:00:00", stdin=text.encode())
    assert outcomes(done) == ["check"]


@pytest.mark.parametrize("options", [["--at", "soon"], ["--country", "France"], ["no such file"]])
def test_misuse_is_exit_code_2(bundled, options):
    assert bundled("verify", *options).exit_code == 2


def test_without_a_bundle_nobody_can_tell(run, text):
    done = run("verify", stdin=text.encode())
    assert verdicts(done)[0]["bundle"] is None
    assert outcomes(done) == ["cannot_tell"]


def test_a_bundle_may_be_named(run, text, tmp_path):
    assert run("bundle", "build", "--out", tmp_path / "other").exit_code == 0
    done = run("verify", "--bundle", tmp_path / "other", stdin=text.encode())
    assert outcomes(done) == ["valid"]


def test_scanning_gives_one_line_a_picture(run, tmp_path):
    (tmp_path / "code.png").write_bytes(qr.png("HELLO"))
    (tmp_path / "text.png").write_bytes(b"no picture")
    (tmp_path / "large.png").write_bytes(bytes(qr.MOST_BYTES + 1))
    paths = [tmp_path / name for name in ("code.png", "text.png", "large.png")]
    done = run("hcert", "scan", *paths)
    good, bad, large = (json.loads(line) for line in done.stdout.splitlines())
    assert good == {
        "file": str(paths[0]),
        "codes": [{"kind": "QR", "text": "HELLO"}],
        "refusal": None,
    }
    assert (bad["codes"], bad["refusal"]["code"]) == ([], "bad_picture")
    assert (large["codes"], large["refusal"]["code"]) == ([], "picture_too_large")
    assert done.exit_code == 0


def test_names_come_out_line_for_line(run):
    done = run("hcert", "names", stdin="Zoë Müller\n\nمحمد Վարդան\n".encode())
    assert done.stdout == "ZOE<MUELLER\n\nMXHMD\n"
    assert done.stderr.startswith("line 3: no table for ")


def test_names_of_a_language_follow_its_footnotes(run):
    assert run("hcert", "names", "--language", "uk", stdin="Ганна".encode()).stdout == "HANNA\n"
