"""`healthcert rules import|export` and the rules in a bundle that is built."""

from __future__ import annotations

import json

import pytest

from healthcert.services.bundles import held
from healthcert.services.trusted import load_pins
from tests.policy.test_rules import eu_rule

FOREIGN = eu_rule(Identifier="VR-FR-0001", Country="FR")
BAD = {**FOREIGN, "Identifier": "TR-FR-0001"}


def answers(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_rule_that_was_taken_in_is_given_out_again(run):
    done = run("rules", "import", stdin=json.dumps(FOREIGN).encode())
    assert done.exit_code == 0
    assert answers(done) == [
        {"id": "VR-FR-0001", "version": "1.0.0", "result": "taken in"}
        | {"reason": None, "message": None}
    ]
    done = run("rules", "export", "--country", "fr")
    assert (done.exit_code, answers(done)) == (0, [FOREIGN])
    assert len(answers(run("rules", "export"))) == 3  # with the two of the demonstration


def test_one_bad_rule_is_refused_by_name_and_the_others_are_taken_in(run):
    done = run("rules", "import", stdin=json.dumps([BAD, FOREIGN]).encode())
    assert done.exit_code == 1
    assert [(line["id"], line["result"], line["reason"]) for line in answers(done)] == [
        ("TR-FR-0001", "refused", "invalid_rule_id"),
        ("VR-FR-0001", "taken in", None),
    ]
    assert answers(run("rules", "export", "--country", "FR")) == [FOREIGN]


def test_versions_in_any_order_are_taken_in_from_the_oldest_on(run):
    newer = {**FOREIGN, "Version": "1.1.0"}
    lines = "\n".join(map(json.dumps, [newer, FOREIGN]))
    assert run("rules", "import", stdin=f"{lines}\n\n".encode()).exit_code == 0
    assert [line["result"] for line in answers(run("rules", "import", stdin=lines.encode()))] == [
        "known",
        "known",
    ]


@pytest.mark.parametrize("text", [b"no rule", b"[7]", b"\xff", b"[" * 100_000])
def test_what_is_no_rule_is_refused_and_named_by_nothing(run, text):
    done = run("rules", "import", stdin=text)
    assert done.exit_code == 1
    assert [(line["id"], line["reason"]) for line in answers(done)] == [(None, "invalid_json")]


def test_more_than_anybody_writes_is_misuse(run):
    assert run("rules", "import", stdin=b" " * (16 * 1024 * 1024 + 1)).exit_code == 2


def test_a_new_rule_must_begin_when_the_gateway_lets_it(run):
    done = run("rules", "import", "--new", stdin=json.dumps(FOREIGN).encode())
    assert answers(done)[0]["reason"] == "invalid_timestamp"
    done = run("rules", "export", "--new")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "VR-XX-0001: invalid_timestamp: " in done.stderr


def test_rules_are_given_out_into_a_folder_that_a_bundle_is_built_from(run, tmp_path, keys_dir):
    run("rules", "import", stdin=json.dumps(FOREIGN).encode())
    done = run("rules", "export", "--country", "FR", "--out", tmp_path / "out")
    path = tmp_path / "out" / "FR" / "VR-FR-0001-1.0.0.json"
    assert done.stdout.strip() == str(path)
    assert json.loads(path.read_text("utf-8")) == FOREIGN
    pins = load_pins(keys_dir / "trust" / "bundle")
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, rules in (([], 3), (["--rules", tmp_path / "out"], 3), (["--rules", empty], 2)):
        assert run("bundle", "build", "--out", tmp_path / "bundle", *folder).exit_code == 0
        made, _ = held(tmp_path / "bundle", pins=pins)
        assert len(made.rules) == rules
