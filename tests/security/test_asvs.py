"""`docs/asvs.md` is complete, and what it points at exists; with a few rows tested here."""

from __future__ import annotations

import ast
import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from tests.security.test_outgoing_calls import imported, modules

ROOT = Path(__file__).parent.parent.parent
# The levels of each section's rows, in order: facts of ASVS 5.0.0 (345 rows).
LEVELS = """
1.1 22  1.2 1111122223  1.3 112222222223  1.4 222  1.5 123
2.1 122  2.2 112  2.3 12223  2.4 23
3.1 3  3.2 113  3.3 12223  3.4 11222233  3.5 11122333  3.6 3  3.7 22333
4.1 12233  4.2 23333  4.3 22  4.4 1222
5.1 2  5.2 112333  5.3 113  5.4 222
6.1 122  6.2 111111112222  6.3 11223333  6.4 112233  6.5 22222333  6.6 2223  6.7 33  6.8 2222
7.1 222  7.2 1111  7.3 22  7.4 11222  7.5 223  7.6 22
8.1 1233  8.2 1123  8.3 133  8.4 23
9.1 111  9.2 1222
10.1 22  10.2 223  10.3 22223  10.4 1111122222233333  10.5 22222  10.6 22  10.7 222
11.1 2233  11.2 22233  11.3 11233  11.4 1222  11.5 23  11.6 23  11.7 33
12.1 12233  12.2 11  12.3 22223
13.1 2333  13.2 222223  13.3 2233  13.4 1222233
14.1 22  14.2 12223333  14.3 122
15.1 12233  15.2 12233  15.3 1222222  15.4 3333
16.1 2  16.2 22222  16.3 2222  16.4 222  16.5 2223
17.1 23  17.2 22223333  17.3 22
"""
WHOLE = {"6", "7", "11", "16"}  # chapters of which level 3 is held too
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (\d) \| (.+) \| (.+) \|$", re.MULTILINE)
GIVEN = ("absent: ", "operator: ", "read: ")


def standard():
    for section, levels in re.findall(r"([\d.]+) (\d+)", LEVELS):
        for number, level in enumerate(levels, 1):
            yield f"{section}.{number}", int(level)


WANTED = {row: level for row, level in standard() if level < 3 or row.partition(".")[0] in WHOLE}
ROWS = ROW.findall((ROOT / "docs" / "asvs.md").read_text(encoding="utf-8"))


def test_the_list_counts_as_the_standard_does():
    levels = [level for _, level in standard()]
    assert [levels.count(level) for level in (1, 2, 3)] == [70, 183, 92]


def test_every_row_stands_there_once_in_order():
    assert {row: int(level) for row, level, *_ in ROWS} == WANTED
    order = [tuple(map(int, row.split("."))) for row, *_ in ROWS]
    assert all(one < other for one, other in pairwise(order))


@pytest.mark.parametrize(("row", "how", "shown"), [(r, h, s) for r, _, h, s in ROWS])
def test_a_row_points_at_a_test_that_exists_or_says_why_not(row, how, shown):
    if shown == "reason":
        assert how.startswith(GIVEN) or len(how) > 40
        return
    path, _, name = shown.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(" if name else r"^def test_", text, re.MULTILINE), row


def test_every_test_that_the_other_documents_point_at_exists():
    for document in ("security.md", "privacy.md"):
        text = (ROOT / "docs" / document).read_text(encoding="utf-8")
        pointed = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
        assert len(pointed) > 5
        for path, name in pointed:
            found = (ROOT / path).read_text(encoding="utf-8")
            assert f"def {name or 'test_'}" in found, (path, name)


def test_what_a_reason_tells_to_read_is_there():
    for row, _, how, shown in ROWS:
        if shown == "reason" and how.startswith("read: "):
            for name in re.findall(r"`(docs/[\w./-]+|data/[\w.]+)`", how):
                base = ROOT if name.startswith("docs/") else ROOT / "healthcert"
                assert (base / name).exists(), (row, name)
            for name, head in re.findall(r"`(docs/[\w./-]+)`, \"([^\"]+)\"", how):
                assert f"## {head}\n" in (ROOT / name).read_text(encoding="utf-8"), (row, head)


# Modules in which bytes are signed, sealed, hashed or drawn by chance; a new one says why here.
CRYPTOGRAPHIC = re.compile(
    r"hcert/(bundled_keys|bundled_lists|cose|revocation|selftest|trust\w*)\.py"
    r"|gateways/\w+\.py|transparency/\w+\.py"
    r"|services/(\w*keys|trusted|key_making|access|codes|issuing|import\w*|places|passkeys|passwords"
    r"|limits|invitations|ceremony)\.py"
    r"|web/(sessions|delivery|metrics)\.py|models/base\.py|data/knowledge\.py|(app|config|db|parts)\.py"
    r"|policy/(draw|tickets)\.py"  # HMAC: the order of a draw, and tickets nobody else can make
    r"|services/(draws|api_tokens)\.py"  # the seed of a draw; tokens of programs, kept as hashes
    r"|models/waiting\.py"  # by chance: under which name somebody waits in a public list
    r"|web/api/(once|parties)\.py"  # the hash of what was sent; the key of somebody's held places
    r"|jobs/room\.py"  # the hash that binds to a seed before the day
    r"|cli/stress\.py"  # keys of a database that is dropped after the run
)


def test_cryptography_is_used_in_listed_modules_only():
    used = {
        name
        for name, tree in modules()
        for module in imported(tree)
        if re.match(r"(cryptography|hashlib|hmac|secrets|argon2|pyotp|webauthn|pkcs11)\b", module)
    }
    assert {name for name in used if not CRYPTOGRAPHIC.fullmatch(name)} == set()
    weak = {"MD5", "SHA1", "ECB", "CBC", "PKCS1v15", "TripleDES", "ARC4"}
    named = {
        (name, getattr(node, "id", getattr(node, "attr", "")))
        for name, tree in modules()
        for node in ast.walk(tree)
        if getattr(node, "id", getattr(node, "attr", "")) in weak
    }
    assert {name for name, _ in named} <= {"hcert/trust_chain.py", "hcert/trust_proofs.py"}


def test_no_broken_hash_is_used():
    broken = {
        (name, node.attr)
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"md5", "sha1"}
    }
    assert broken == set()


def test_no_weak_chance_is_used():
    weak = {name for name, tree in modules() if "random" in set(imported(tree))}
    assert weak <= {"services/fiction.py", "services/demo.py"}  # invented people


def test_scripts_keep_nothing_in_the_browser():
    scripts = sorted((ROOT / "healthcert" / "web" / "assets").rglob("*.js"))
    kept = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.open")
    assert scripts
    assert [path.name for path in scripts if kept.search(path.read_text())] == []


def test_the_times_that_people_are_told_are_those_of_the_file():
    rules = tomllib.loads(
        (ROOT / "healthcert" / "data" / "retention.toml").read_text(encoding="utf-8")
    )
    wanted = [
        f"| {kind} | kept |"
        if rule["then"] == "kept"
        else f"| {kind} | {rule['then']} {rule['days']} days after {rule['after']} |"
        for kind, rule in rules.items()
    ]
    text = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line in wanted] == wanted
