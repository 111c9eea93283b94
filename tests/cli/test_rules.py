"""`healthcert rules`: JSON lines in, JSON lines out, in order."""

import json

import pytest
from click.testing import CliRunner

from healthcert.cli import main


def run(command, *lines):
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    done = CliRunner().invoke(main, ["rules", command], input=text.encode("utf-8", "surrogatepass"))
    assert done.exit_code == 0
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_certlogic_answers_each_line_in_order():
    total = {"logic": {"+": [1, {"var": "x"}]}, "data": {"x": 2}}
    moment = {"logic": {"plusTime": ["2021-01-01T01:00:00+01:00", 1, "day"]}, "data": None}
    assert run("certlogic", total, moment, {"logic": {"var": ""}}) == [
        {"result": 3},
        {"result": "2021-01-02T00:00:00.000Z"},
        {"result": None},
    ]


def test_blank_lines_are_no_questions():
    assert run("certlogic", "", '{"logic": 1}', "  ", "") == [{"result": 1}]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        "{}",
        '{"logic": 1.5}',
        '{"logic": NaN}',
        '{"logic": 1, "data": ' + "[" * 5_000,
        '{"logic": "' + "x" * 2**17 + '"}',
        '{"logic": {"var": ""}, "data": ' + "[" * 300 + "]" * 300 + "}",
    ],
)
def test_what_cannot_be_answered_is_an_error_and_the_next_line_is_read(line):
    first, second = run("certlogic", line, '{"logic": 1}')
    assert isinstance(first["error"], str)
    assert first.keys() == {"error"}
    assert second == {"result": 1}


def test_a_line_that_is_not_utf_8_is_an_error():
    assert "error" in run("certlogic", '{"logic": "\udc80"}')[0]


def test_integers_are_read_as_javascript_reads_them():
    found = run("certlogic", '{"logic": {"var": ""}, "data": [9007199254740993, 1e999, 7]}')
    assert found == [{"result": [9007199254740992, None, 7]}]
    assert run("certlogic", '{"logic": {"var": ""}, "data": ' + "9" * 5_000 + "}") == [
        {"result": None}
    ]


def test_rules_are_evaluated_by_their_logic():
    rule = {"Logic": {"===": [{"var": "payload.v.0.dn"}, {"var": "external.dn"}]}}
    payload = {"v": [{"dn": 2}]}
    assert run(
        "evaluate",
        {"rule": rule, "payload": payload, "external": {"dn": 2}},
        {"rule": rule, "payload": payload, "external": {"dn": 3}},
        {"rule": {"Logic": {"!": [{"var": "payload"}]}}, "external": {}},
    ) == [{"result": True}, {"result": False}, {"result": True}]


@pytest.mark.parametrize(
    "line", ["x", "[]", '{"rule": 1}', '{"rule": {}}', '{"rule": {"Logic": 1}}']
)
def test_a_rule_that_gives_no_answer_has_not_passed(line):
    assert run("evaluate", line) == [{"result": False}]


def test_lines_are_read_from_a_file(tmp_path):
    file = tmp_path / "lines.jsonl"
    file.write_text('{"logic": 1}\n')
    done = CliRunner().invoke(main, ["rules", "certlogic", str(file)])
    assert (done.exit_code, done.stdout) == (0, '{"result": 1}\n')


def test_a_file_that_is_not_there_is_misuse():
    assert CliRunner().invoke(main, ["rules", "certlogic", "/no/such/file"]).exit_code == 2
