"""House rules that no linter knows; their reasons stand in docs/architecture.md."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from statistics import quantiles

import pytest
from xdist.scheduler import LoadGroupScheduling

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    path
    for path in (ROOT / "healthcert").rglob("*.py")
    if path.relative_to(ROOT).parts[1] != "templates"
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
VAGUE = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "manager",
    "managers",
    "base_service",
}
LONGEST_FILE, FILE_P90 = 400, 180
LONGEST_FUNCTION, FUNCTION_P90 = 60, 18
SQL = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|PRAGMA|ALTER|CREATE|DROP)\b", re.IGNORECASE)
# Names and words of our own constants only, where SQL cannot be bound: each is looked at here.
SQL_OF_CONSTANTS = {"healthcert/db.py", "healthcert/migrations/__init__.py"}
# Gateways to what an optional extra brings: each imports it once, where it is used.
OF_AN_EXTRA = {"healthcert/gateways/pkcs11_signer.py"}


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(path):
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, _body_length(node)


def _body_length(node):
    """Return the lines of a function's body, its docstring left out."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_the_rules_look_at_the_whole_house():
    assert len(MODULES) > 20
    assert TEMPLATES


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_is_short_and_has_a_true_name(path):
    assert path.stem not in VAGUE
    assert _lines(path) <= LONGEST_FILE


def test_nine_of_ten_modules_are_read_in_one_sitting():
    assert quantiles([_lines(path) for path in MODULES], n=10)[-1] <= FILE_P90


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_function_is_longer_than_a_page(path):
    assert [name for name, lines in _functions(path) if lines > LONGEST_FUNCTION] == []


def test_nine_of_ten_functions_are_seen_at_one_glance():
    lengths = [lines for path in MODULES for _name, lines in _functions(path)]
    assert quantiles(lengths, n=10)[-1] <= FUNCTION_P90


def test_folders_are_at_most_three_deep():
    deep = [_name(path) for path in MODULES if len(path.relative_to(ROOT).parts) > 4]
    assert deep == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_nothing_is_imported_inside_a_function(path):
    inner = [
        node.lineno
        for function in ast.walk(_tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert len(inner) == (_name(path) in OF_AN_EXTRA)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_sql_is_put_together_from_pieces(path):
    if _name(path) in SQL_OF_CONSTANTS:
        return
    found = [
        node.lineno
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.JoinedStr)
        and node.values
        and isinstance(node.values[0], ast.Constant)
        and SQL.match(str(node.values[0].value))
    ]
    assert found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_no_template_trusts_a_value_or_carries_style_or_script(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b", text)
    assert not re.search(r"\sstyle=|\son[a-z]+=\"|<style|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_only_components_know_how_a_component_is_wired(path):
    if path.parent.name != "_components":
        assert "govuk_frontend_jinja" not in path.read_text(encoding="utf-8")


@pytest.mark.xdist_group("house")
def test_the_scheduler_is_told_what_belongs_together(request):
    group = LoadGroupScheduling._split_scope(None, request.node.nodeid)  # noqa: SLF001
    in_groups = request.config.getoption("loadgroup", default=False)
    assert group == ("house" if in_groups else request.node.nodeid)


def test_no_private_key_is_tracked():
    tracked = _git("ls-files", "-z").split("\0")
    private = [
        name
        for name in filter(None, tracked)
        if (ROOT / name).is_file() and b"PRIVATE KEY-----\n" in (ROOT / name).read_bytes()
    ]
    assert private == []


def _git(*arguments):
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if done.returncode:
        pytest.skip("this is no checkout: git cannot say what is tracked")
    return done.stdout
