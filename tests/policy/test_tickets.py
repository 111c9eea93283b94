"""A ticket of the waiting room: signed, of one identity, and in a place nobody could choose."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import BadInput
from healthcert.policy import tickets
from tests.certificates import NOW

KEY, SEED = b"k" * 32, b"s" * 32
BEFORE, AFTER = NOW - timedelta(minutes=7), NOW + timedelta(minutes=7)


def ticket(identity="KANARI 123456", now=BEFORE, key=KEY):
    return tickets.issue(key, tickets.who(key, identity), opens_at=NOW, now=now)


@given(st.text(max_size=40), st.integers(-100_000_000, 100_000_000))
def test_every_ticket_is_as_long_as_the_others_and_tells_who_came_when(identity, hundredths):
    text = ticket(identity, NOW + timedelta(milliseconds=10 * hundredths))
    assert len(text) == 32
    assert tickets.read(KEY, text) == (tickets.who(KEY, identity), hundredths)


def test_a_ticket_is_read_as_a_person_types_it():
    text = ticket()
    typed = " - ".join(text[at : at + 4] for at in range(0, 32, 4)).lower().replace("o", "0")
    assert tickets.read(KEY, typed) == tickets.read(KEY, text)


def test_every_changed_letter_is_noticed():
    text = ticket()
    for at in range(32):
        for other in set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") - {text[at]}:
            with pytest.raises(BadInput, match="not_a_ticket"):
                tickets.read(KEY, text[:at] + other + text[at + 1 :])


@pytest.mark.parametrize("typed", ["", "AAAA", "A" * 32, "8" * 32, "A" * 31 + "٣", "A" * 5000])
def test_what_is_no_ticket_is_none(typed):
    with pytest.raises(BadInput, match="not_a_ticket"):
        tickets.read(KEY, typed)


def test_a_ticket_of_another_opening_is_none():
    with pytest.raises(BadInput, match="not_a_ticket"):
        tickets.read(b"j" * 32, ticket())


def test_asking_again_before_the_opening_gives_the_same_place():
    first, again = (
        tickets.read(KEY, ticket(identity, now))
        for identity, now in (
            ("kanari-123456", BEFORE),
            ("KANARI 123456", BEFORE + timedelta(seconds=9)),
        )
    )
    assert tickets.place(first, SEED) == tickets.place(again, SEED) < tickets.LATER


def test_who_comes_later_stands_behind_all_who_were_there_in_the_order_they_came():
    early = tickets.place(tickets.read(KEY, ticket()), SEED)
    later = [
        tickets.place(tickets.read(KEY, ticket("A", AFTER + timedelta(seconds=second))), SEED)
        for second in (0, 1, 2)
    ]
    assert [early, *later] == sorted([early, *later])
    assert min(later) >= tickets.LATER
    at_the_stroke = tickets.read(KEY, ticket("A", NOW))
    assert tickets.place(at_the_stroke, SEED) == tickets.LATER


def test_a_moment_out_of_range_is_still_a_ticket():
    far = ticket("A", NOW - timedelta(days=3000))
    assert tickets.read(KEY, far).came == -(1 << 31)
    assert tickets.read(KEY, ticket("A", NOW + timedelta(days=3000))).came == (1 << 31) - 1


def test_the_places_of_those_who_were_there_are_spread_evenly_and_by_the_seed():
    crowd = [tickets.read(KEY, ticket(f"P{number}")) for number in range(4000)]
    places = [tickets.place(one, SEED) for one in crowd]
    for tenth in range(10):
        inside = sum(tenth / 10 <= place / tickets.LATER < (tenth + 1) / 10 for place in places)
        assert 320 < inside < 480
    others = [tickets.place(one, b"t" * 32) for one in crowd]
    both = zip(pairwise(places), pairwise(others), strict=True)
    alike = sum((one < two) == (three < four) for (one, two), (three, four) in both)
    assert 1850 < alike < 2150


def test_each_opening_has_a_key_and_a_seed_of_its_own():
    keys = [tickets.key_of(b"secret", code) for code in ("spring", "autumn")]
    assert len({*keys, *map(tickets.seed_of, keys)}) == 4
