"""The program and an independent reading of docs/roles.md agree on whatever is asked."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from healthcert.policy.roles import ACTS, FRESH, Asker, Handed, Role, may
from tests.policy import oracle

SEED, REQUESTS, EACH = 20260302, 100_000, 100
START = datetime(2026, 3, 2, tzinfo=UTC)
HEADS = {"stranger": None} | {role.replace("_", " "): role for role in Role}
NAMES = [UUID(int=number) for number in range(40)]


def test_the_page_and_the_program_know_the_same_acts_and_roles():
    assert set(oracle.TABLE) == set(ACTS)
    assert {head for act in oracle.TABLE.values() for head in act} == {*HEADS, "proof"}
    assert {act for act, row in oracle.TABLE.items() if row["proof"] == "fresh"} == FRESH


def test_every_act_says_for_every_role_how_far_it_reaches():
    words = {"own", "site", "organisation", "country", "nobody"}
    for act, row in oracle.TABLE.items():
        assert {row[head] for head in HEADS} <= words, act
        assert any(row[head] != "nobody" for head in HEADS), act
        assert set(ACTS[act]) <= {None, *Role}, act


class World:
    """Eight organisations under each other by chance, and what they have handed on."""

    def __init__(self, chance):
        """Make one up."""
        self.parents = [None] + [chance.choice([*range(at), at - 1, None]) for at in range(1, 8)]
        self.handed = [self.paper(chance) for _ in range(chance.randrange(20))]

    def paper(self, chance):
        giver, taker = chance.randrange(8), chance.randrange(8)
        if chance.random() < 0.7 and self.parents[taker] is not None:
            giver = self.parents[taker]
        acts = ("end_work", "invite_staff", "see_organisations", *ACTS)
        return {
            "act": chance.choice(acts[:3] if chance.random() < 0.9 else acts), "giver": giver,
            "taker": taker, "ends": chance.randrange(4, 12),
            "revoked": chance.choice([None, None, chance.randrange(10)]),
        }  # fmt: skip

    def line(self, low):
        found = []
        while low is not None:
            found.append(NAMES[low])
            low = self.parents[low]
        return tuple(found)


def moment(number):
    return None if number is None else START + timedelta(hours=number)


def name(number):
    return None if number is None else NAMES[number]


def request(chance):
    some = [None, *range(4)]
    asks = {
        "role": chance.choice([*HEADS, "lead", "admin", "admin", "admin"]),
        "person": chance.choice(some), "acts_for": chance.sample(range(4), chance.randrange(3)),
        "site": chance.choice(some), "works_for": chance.choice([None, *range(8)]),
    }  # fmt: skip
    act = chance.choice(
        [*ACTS, "print_money", *("end_work", "invite_staff", "see_organisations") * 4]
    )
    thing = {
        "person": chance.choice(some), "site": chance.choice(some),
        "of": chance.choice([None, *range(8)]),
    }  # fmt: skip
    return asks, act, thing, chance.randrange(10)


def program(world, asks, act, thing, now, papers):
    people = [NAMES[one] for one in {asks["person"], *asks["acts_for"]} - {None}]
    asker = Asker(HEADS[asks["role"]], people, name(asks["site"]), world.line(asks["works_for"]))
    return may(
        asker, act, person=name(thing["person"]), site=name(thing["site"]),
        line=world.line(thing["of"]), handed=papers, now=moment(now),
    )  # fmt: skip


@pytest.mark.walk
def test_a_hundred_thousand_requests_are_answered_alike():
    chance, said = random.Random(SEED), {True: 0, False: 0}
    widened = 0
    for _ in range(REQUESTS // EACH):
        world = World(chance)
        papers = [
            Handed(
                paper["act"], NAMES[paper["giver"]], NAMES[paper["taker"]],
                moment(paper["ends"]), moment(paper["revoked"]),
            )
            for paper in world.handed
        ]  # fmt: skip
        for _ in range(EACH):
            asks, act, thing, now = request(chance)
            expected = oracle.allowed(world.parents, asks, act, thing, world.handed, now)
            told = (SEED, world.parents, asks, act, thing, world.handed, now)
            assert program(world, asks, act, thing, now, papers) == expected, told
            said[expected] += 1
            widened += expected and not oracle.allowed(world.parents, asks, act, thing, [], now)
    assert min(said.values()) > REQUESTS / 10
    assert widened > 100


@pytest.mark.parametrize("cell", ["site", "country"])
def test_the_oracle_would_see_a_changed_cell(monkeypatch, cell):
    changed = {"end_work": oracle.TABLE["end_work"] | {"admin": cell}}
    monkeypatch.setattr(oracle, "TABLE", oracle.TABLE | changed)
    with pytest.raises(AssertionError):
        test_a_hundred_thousand_requests_are_answered_alike()
