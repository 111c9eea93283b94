"""The build: the same bytes from the same sources, and nothing we may not serve."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not (ROOT / "node_modules").is_dir() or not shutil.which("node"),
    reason="the build is NOT tested: run `make front` first, with Node.js on the path",
)


def build(out, root=ROOT):
    command = [shutil.which("node"), root / "tools" / "build.mjs", out]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "static"
    assert build(out).returncode == 0
    return out


@pytest.fixture
def copy(tmp_path):
    """Make a checkout elsewhere, with the same modules."""
    for name in ("tools", "healthcert/web/assets"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return tmp_path


def test_another_folder_gives_the_same_bytes(built, copy):
    assert build(copy / "out", root=copy).returncode == 0
    assert contents(copy / "out") == contents(built)


def test_each_file_is_named_by_its_bytes(built):
    manifest = json.loads((built / "manifest.json").read_text(encoding="utf-8"))
    assert {"front.css", "front.rtl.css", "front.js", "icon.svg"} <= set(manifest)
    for name in manifest.values():
        digest = hashlib.sha256((built / name).read_bytes()).hexdigest()[:10]
        assert f".{digest}." in name


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("@font-face { font-family: 'GDS Transport' }", "GDS Transport"),
        (".crest { color: red }", "crest"),
        (".a { background: url(https://example.org/a.png) }", "url("),
        (".a { background: url('a.png') }", "url("),
    ],
)
def test_what_may_not_be_served_is_refused(copy, line, found):
    sheet = copy / "healthcert/web/assets/_print.scss"
    sheet.write_text(sheet.read_text(encoding="utf-8") + line, encoding="utf-8")
    refused = build(copy / "out", root=copy)
    assert refused.returncode != 0
    assert f'holds "{found}"' in refused.stderr
    assert not (copy / "out").exists()


def test_data_in_a_sheet_is_no_fetch(copy):
    sheet = copy / "healthcert/web/assets/_print.scss"
    sheet.write_text(".a { background: url(data:image/png;base64,AA==) }", encoding="utf-8")
    assert build(copy / "out", root=copy).returncode == 0


def test_sheets_of_both_directions_differ_where_left_and_right_do(built):
    manifest = json.loads((built / "manifest.json").read_text(encoding="utf-8"))
    left, right = ((built / manifest[name]).read_text() for name in ("front.css", "front.rtl.css"))
    back = r"\.govuk-back-link\{[^}]*padding-(\w+):"
    assert (re.search(back, left)[1], re.search(back, right)[1]) == ("left", "right")


def test_the_lock_names_no_place_to_fetch_from():
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
