"""Ceremonies and the states of keys on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from healthcert.cli import main
from healthcert.db import Doors, make_engine
from healthcert.models import AuditEvent
from tests.softhsm import make_token

pytestmark = pytest.mark.xdist_group("softhsm")  # one module a process, one environment

SIGNER = """
[{kind}]
name = "DSC {kind} 1"
begins = 2026-11-01T00:00:00Z
file = "own-keys/development/{kind}-2"
secret_file = "own-keys/development/secret"
"""
INPUT = """
country = "LB"
organisation = "Ministry of Public Health"
people = ["A. Khoury", "M. Haddad"]
[authority]
name = "CSCA Lebanon 1"
begins = 2026-11-01T00:00:00Z
file = "offline/csca"
secret_file = "offline/secret"
""" + "".join(SIGNER.format(kind=kind) for kind in ("vaccination", "test"))


@pytest.fixture
def run(keys_dir, tmp_path, sqlite_template):
    """Run a command on keys and a database of its own, with a ceremony's file beside them."""
    shutil.copytree(keys_dir, tmp_path / "own-keys")
    shutil.copy(sqlite_template, tmp_path / "healthcert.db")
    (tmp_path / "offline").mkdir()
    (tmp_path / "offline" / "secret").write_text("another secret")
    (tmp_path / "input.toml").write_text(INPUT)
    environment = {
        "HEALTHCERT_DATA_DIR": str(tmp_path), "HEALTHCERT_KEYS_DIR": str(tmp_path / "own-keys"),
    }  # fmt: skip

    def run(*words: str):
        done = CliRunner().invoke(main, ["keys", *words], env=environment)
        rows = [json.loads(x) for x in done.stdout.splitlines() if x.startswith("{")]
        return done.exit_code, rows, done.output

    return run


def hold(run, tmp_path, *words):
    return run("ceremony", "--input", str(tmp_path / "input.toml"), *words)


def test_a_dry_run_shows_what_would_be_made_and_makes_nothing(run, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    code, [csca, *dscs, last], _ = hold(run, tmp_path, "--dry-run")
    assert (code, csca["kind"], csca["name"]) == (0, "authority", "CSCA Lebanon 1")
    assert [each["kind"] for each in dscs] == ["v", "t"]
    assert len(last["plan"]) == 64
    assert sorted(tmp_path.rglob("*")) == before
    assert hold(run, tmp_path, "--dry-run")[1][-1] == last
    assert hold(run, tmp_path, "--plan", "0" * 64)[0] == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_ceremony_makes_keys_whose_transcript_the_audit_names(run, tmp_path):
    plan = hold(run, tmp_path, "--dry-run")[1][-1]["plan"]
    code, rows, told = hold(run, tmp_path, "--plan", plan)
    assert code == 0, told
    transcript = json.loads(Path(rows[-1]["transcript"]).read_text())
    assert (transcript["plan"], len(transcript["people"])) == (plan, 2)
    kid = transcript["made"]["DSC vaccination 1"]
    refused, _, why = run("activate", kid)
    assert (refused, "pending" in why) == (1, True)
    assert run("publish", kid, "--json")[1] == [{"kid": kid, "purpose": "v", "state": "published"}]
    early, _, why = run("activate", kid)
    assert (early, "signs from" in why) == (1, True)
    shown = {row["kid"]: row["state"] for row in run("list", "--json")[1]}
    assert shown[kid] == "published"
    assert sorted(filter(None, shown.values())) == ["active"] * 3 + ["pending", "published"]
    engine = make_engine(f"sqlite:///{tmp_path / 'healthcert.db'}")
    with Doors(engine).reading() as db:
        noted = [e.details for e in db.scalars(select(AuditEvent).filter_by(act="key_pending"))]
    engine.dispose()
    assert {len(each["transcript"]) for each in noted} == {64}
    assert hold(run, tmp_path)[0] == 1  # there is nothing left to make


def test_a_key_is_laid_down_by_command_and_a_mistake_is_misuse(run):
    kid = next(row["kid"] for row in run("list", "--json")[1] if row["kinds"] == "t")
    assert run("retire", kid) == (0, [], f"{kid} is retired\n")
    assert run("retire", kid)[0] == 1
    assert run("retire", "nohex")[0] == 2
    for verb in ("ceremony", "publish", "activate", "retire", "compromise"):
        assert "Example:" in run(verb, "--help")[2]


def test_a_ceremony_puts_keys_in_a_token(run, tmp_path):
    hsm = make_token(tmp_path / "hsm")
    named = json.dumps(hsm.named("v-2")).replace('": ', '"= ')
    text = INPUT.replace("[test]", f"token = {named}\n[test]")
    (tmp_path / "input.toml").write_text(text)
    code, rows, told = hold(run, tmp_path)
    assert code == 0, told
    kids = json.loads(Path(rows[-1]["transcript"]).read_text())["made"]
    assert run("publish", kids["DSC vaccination 1"])[0] == 0
    assert (tmp_path / "own-keys/development/vaccination-2.token.toml").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("country", "land"),
        (', "M. Haddad"', ""),
        ('"M. Haddad"', '"A. Khoury"'),
        ("Ministry of", "DEVELOPMENT of"),
        ('2026-11-01T00:00:00Z\nfile = "own', '2025-11-01T00:00:00Z\nfile = "own'),
        ('2026-11-01T00:00:00Z\nfile = "own', '2028-11-01T00:00:00Z\nfile = "own'),
        ("00:00:00Z", "00:00:00"),
        ("offline/secret", "offline/none"),
        ("development/test-2", "development/half"),
    ],
)
def test_a_file_that_asks_for_what_must_not_be_is_misuse(run, tmp_path, old, new):
    (tmp_path / "own-keys/development/half.cert.pem").write_text("certificate alone")
    assert old in INPUT
    (tmp_path / "input.toml").write_text(INPUT.replace(old, new))
    assert hold(run, tmp_path, "--dry-run")[0] == 2
