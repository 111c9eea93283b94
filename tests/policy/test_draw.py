"""The draw: one rank each, reserves to the letter, and a change anywhere shows."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.errors import BadInput
from healthcert.policy.draw import Rules, differences, line_of, root

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "draw"
SEED = sha256(b"seed").digest()
GROUPS = ("", "region:North", "phase:carers")
RULES = Rules("covid", "the lottery of 3 March", "2026-03-02T09:00:00Z", 7, {"region:North": 20})


def a_list(groups):
    """Return the list of entrants of these groups, their tokens from their numbers."""
    tokens = (sha256(f"{number}".encode()).digest()[:16] for number in range(len(groups)))
    return sorted(line_of(token, group) for token, group in zip(tokens, groups, strict=True))


def published(rules, lines, public_value="7 12 19"):
    """Return manifest, list and ranks as they are published."""
    told = {
        **{name: getattr(rules, name) for name in Rules.__slots__},
        "commitment": rules.commitment(SEED).hex(), "entries": len(lines),
        "list_root": root(lines).hex(), "public_value": public_value, "seed": SEED.hex(),
    }  # fmt: skip
    return told, lines, rules.ranked(lines, seed=SEED, public_value=public_value)


def write(folder, told, lines, ranks):
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    for name, content in (("list.txt", lines), ("ranks.txt", ranks)):
        (folder / name).write_text("".join(f"{line}\n" for line in content), encoding="utf-8")


@st.composite
def draws(draw):
    shares = draw(st.permutations([20, 30, 50]))
    chosen = draw(st.sets(st.sampled_from(GROUPS[1:])))
    rules = replace(
        RULES, places=draw(st.integers(1, 60)),
        reserves={group: share for group, share in zip(GROUPS[1:], shares, strict=False)
                  if group in chosen},
    )  # fmt: skip
    groups = draw(st.lists(st.sampled_from(["", *sorted(chosen)]), max_size=60))
    return rules, a_list(groups)


@settings(deadline=None)
@given(draws(), st.text(max_size=9))
def test_every_entrant_has_exactly_one_rank(made, public_value):
    rules, lines = made
    ranks = rules.ranked(lines, seed=SEED, public_value=public_value)
    assert sorted(ranks) == [line[:32] for line in lines]


@settings(deadline=None)
@given(draws())
def test_reserves_are_exact_and_what_they_leave_goes_to_the_others(made):
    rules, lines = made
    ranks = rules.ranked(lines, seed=SEED, public_value="1")
    group = {line[:32]: line[33:] for line in lines}
    in_all, placed = (
        Counter(group.values()),
        Counter(group[token] for token in ranks[: rules.places]),
    )
    assert sum(placed.values()) == min(rules.places, len(lines))
    for name, share in rules.reserves.items():
        assert placed[name] >= min(rules.places * share // 100, in_all[name])
    # Against the pure order, a reserve moves only as many as it must.
    plain = replace(rules, reserves={}).ranked(lines, seed=SEED, public_value="1")
    by_chance = Counter(group[token] for token in plain[: rules.places])
    for name, share in rules.reserves.items():
        least = min(rules.places * share // 100, in_all[name])
        assert placed[name] <= max(by_chance[name], least)
    if all(
        by_chance[name] >= rules.places * share // 100 for name, share in rules.reserves.items()
    ):
        assert ranks == plain
    for name in GROUPS:  # within a group nobody is overtaken
        mine = [token for token in ranks if group[token] == name]
        assert mine == [token for token in plain if group[token] == name]


@settings(deadline=None)
@given(draws())
def test_what_was_published_is_found_right(made):
    assert list(differences(*published(*made))) == []


CHANGES = {
    "programme": "measles", "source": "another lottery", "closes": "2026-03-03T09:00:00Z",
    "places": 8, "reserves": {"region:North": 21}, "seed": bytes(32).hex(), "public_value": "8",
    "commitment": bytes(32).hex(), "list_root": bytes(32).hex(), "entries": 11,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_whoever_changes_anything_of_the_manifest_is_found_out(name):
    told, lines, ranks = published(RULES, a_list(["", "region:North"] * 6))
    assert list(differences(told | {name: CHANGES[name]}, lines, ranks))


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": 7}, {"places": 0}, {"places": "7"}, {"reserves": {"North": 20}},
        {"reserves": {"region:N": 60, "region:S": 41}}, {"source": "two\nlines"},
        {"commitment": "x"}, {"reserves": ["region:North"]}, {"seed": None},
    ],
)  # fmt: skip
def test_a_manifest_that_nobody_can_follow_is_said_to_be_one(wrong):
    told, lines, ranks = published(RULES, a_list([""] * 3))
    [found] = differences(told | wrong, lines, ranks)
    assert found.startswith("the manifest cannot be read")
    [found] = differences({}, lines, ranks)
    assert "programme" in found


@settings(deadline=None)
@given(st.data())
def test_whoever_changes_the_list_or_a_rank_is_found_out(data):
    told, lines, ranks = published(RULES, a_list(["", "region:North"] * 6))
    at = data.draw(st.integers(0, 11))
    other = data.draw(st.sampled_from(["left out", "another", "twice", "moved", "unreadable"]))
    change = {
        "left out": lines[:at] + lines[at + 1 :],
        "another": sorted([*lines[:at], "f" * 32, *lines[at + 1 :]]),
        "twice": sorted([*lines, lines[at]]),
        "moved": lines[::-1],
        "unreadable": [*lines, "somebody"],
    }[other]
    assert list(differences(told, change, ranks))
    swapped = ranks[at:] + ranks[:at]
    assert bool(list(differences(told, lines, swapped))) is (at > 0)
    assert list(differences(told, lines, ranks[:-1])) == [
        f"1 ranks differ; the first is 12: it is {ranks[-1]}'s, and not nobody's"
    ]


def test_before_the_seed_is_shown_there_is_nothing_to_compare_but_the_list():
    told, lines, _ranks = published(RULES, a_list([""] * 3))
    announced = {name: told[name] for name in (*Rules.__slots__, "commitment")}
    assert list(differences(announced, [], [])) == []
    closed = announced | {"list_root": told["list_root"], "entries": 3}
    assert list(differences(closed, lines, [])) == []
    assert list(differences(closed, lines[:2], []))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_public_value_moves_everybody(value):
    lines = a_list([""] * 40)
    one, other = (
        RULES.ranked(lines, seed=SEED, public_value=str(each)) for each in (value, value + 1)
    )
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 12


def test_rules_that_nobody_could_follow_are_refused():
    with pytest.raises(BadInput):
        replace(RULES, reserves={"region:North": True})


def by_node(folder):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node: the draw's second program was not asked")
    command = [node, str(FOLDER / "verify.mjs"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["reserves", "nobody", "short-of-a-group"])
def test_both_programs_agree_on_the_published_vectors(name):
    folder = FOLDER / "vectors" / name
    told = json.loads((folder / "manifest.json").read_text("utf-8"))
    content = [
        (folder / each).read_text("utf-8").splitlines() for each in ("list.txt", "ranks.txt")
    ]
    assert list(differences(told, *content)) == []
    assert by_node(folder).returncode == 0


def test_both_programs_agree_on_twenty_thousand_people(tmp_path):
    rules = replace(RULES, places=3_000, source="اليانصيب", reserves={GROUPS[1]: 33, GROUPS[2]: 7})
    told, lines, ranks = published(rules, a_list([GROUPS[n % 11 % 3] for n in range(20_000)]))
    write(tmp_path, told, lines, ranks)
    done = by_node(tmp_path)
    assert (done.returncode, done.stdout) == (0, "20000 entrants, 0 differing ranks\n")
    ranks[7], ranks[8] = ranks[8], ranks[7]
    write(tmp_path, told, lines, ranks)
    done = by_node(tmp_path)
    assert (done.returncode, "2 ranks differ" in done.stdout) == (1, True)
