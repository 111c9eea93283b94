"""Names that sound alike share a code, whoever wrote them down; others mostly do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.policy.likeness import codes, likeness, nearness, parts

ALIKE = [
    ("Mohamed", "Muhammad", "Mohammed", "محمد"),
    ("Gamal", "Djamel", "جمال"),
    ("Othman", "Osman", "عثمان"),
    ("Khoury", "El-Khouri", "الخوري"),
    ("Abderrahmane", "Abdul Rahman", "عبدالرحمن", "عبد الرحمن"),
    ("Aboubakar", "Abu Bakr", "أبو بكر"),
    ("Philippe", "Filip"),
    ("Cécile", "Sesil"),
    ("Çelik", "Celik", "Selik"),
    ("Чайковский", "Tchaikovsky", "Čajkovskij"),
    ("Χρήστος", "Khristos"),
]
UNLIKE = [("Mohamed", "Robert"), ("Smith", "Jones"), ("خالد", "زينب"), ("Dupont", "Martin")]
TEXT = st.text(max_size=30)


def spoken(name: str) -> frozenset[str]:
    return frozenset().union(*map(codes, parts(name)))


@pytest.mark.parametrize("names", ALIKE, ids=lambda names: names[0])
def test_spellings_of_one_name_share_a_code(names):
    assert [name for name in names if not spoken(names[0]) & spoken(name)] == []


@pytest.mark.parametrize("names", UNLIKE, ids=lambda names: names[0])
def test_other_names_share_none(names):
    one, other = names
    assert not spoken(one) & spoken(other)
    assert likeness(parts(one), parts(other)) < 0.5


def test_particles_and_single_letters_are_left_out_unless_there_is_nothing_else():
    assert parts("Vincent van der Berg", "B.") == ["vincent", "berg"]
    assert parts("Ben", "E") == ["ben", "e"]
    assert parts("", "!", "- -") == []


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [("", "", 1), ("a", "", 0), ("abcd", "abdc", 0.75), ("abcd", "abxd", 0.75), ("abc", "abc", 1)],
)
def test_nearness_counts_letters_put_in_left_out_changed_or_swapped(one, other, near):
    assert nearness(one, other) == near


def test_the_likest_part_counts_and_nothing_is_like_nothing():
    assert likeness(["haddad"], ["mohamed", "haddad"]) == 1
    assert likeness(["hadad"], ["haddad"]) > likeness(["hadas"], ["haddad"])
    assert likeness([], ["haddad"]) == likeness(["haddad"], []) == 0


@given(TEXT, TEXT)
def test_any_text_has_parts_and_codes_within_bounds(one, other):
    ours, theirs = parts(one), parts(other)
    assert all(part.isascii() and part.isalpha() and part.islower() for part in ours)
    assert all(1 <= len(codes(part)) <= 32 for part in ours)
    assert 0 <= likeness(ours, theirs) <= 1
    assert nearness(one, other) == nearness(other, one)
    assert not ours or likeness(ours, ours) == 1
