"""What the service is made of: pinned, listed, and without a secret in it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from cyclonedx.model.bom import Bom

from tools.sbom import bill, locked, pinned

ROOT = Path(__file__).parent.parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
# What keys of well-known services, and passwords written into an address, look like.
SECRETS = re.compile(
    rb"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abpr]-[0-9A-Za-z-]{10,}"
    rb"|eyJhbGciOi[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.|AIza[0-9A-Za-z_-]{35}"
    rb"|(?:postgres(?:ql)?|smtp|https?)://[^\s:/@'\"{<]+:[^\s/@'\"{<]{3,}@(?!localhost|127\.)"
)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_by_a_hash(lock):
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    loose = [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
    assert loose == []


def test_the_bill_of_materials_names_every_pinned_package():
    made = bill()
    names = {(part["name"], part["version"]) for part in made["components"]}
    wanted = re.findall(
        r"^([\w.-]+)(?:\[.*\])?==([^ ;\\]+)",
        (ROOT / "requirements" / "run.txt").read_text(),
        re.MULTILINE,
    )
    assert {(name.lower(), version) for name, version in wanted} <= names
    read = Bom.from_json(json.loads(json.dumps(made)))
    assert len(read.components) == len(made["components"]) > len(wanted) > 20


def test_a_component_carries_the_hashes_it_is_pinned_by():
    first, second = pinned(
        f"one==1.0 ; python_version < '4' \\\n    --hash=sha256:{'a' * 64} \\\n"
        f"    --hash=sha256:{'b' * 64}\ntwo[x]==2.0 \\\n    --hash=sha256:{'c' * 64}\n"
    )
    assert [h["content"][0] for h in first["externalReferences"][0]["hashes"]] == ["a", "b"]
    assert (second["purl"], second["scope"]) == ("pkg:pypi/two@2.0", "required")
    (third,) = locked(
        {"packages": {"": {}, "node_modules/@a/b": {"version": "3", "integrity": "sha512-AAAA"}}}
    )
    assert (third["purl"], third["hashes"][0]["content"]) == ("pkg:npm/%40a/b@3", "000000")


def test_no_secret_is_tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout.split(b"\0")
    found = [
        (name.decode(), match[0][:24])
        for name in filter(None, listed)
        if (path := ROOT / name.decode()).is_file()
        for match in SECRETS.finditer(path.read_bytes())
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "A1" * 8,
        "ghp_" + "x" * 36,
        "postgresql://service:" + "hunter22@db.example/records",
        "eyJhbGciOi" + "x" * 24 + "." + "y" * 24 + ".z",
    ],
)
def test_a_secret_would_be_found(text):
    assert SECRETS.search(text.encode())
