"""Bots win no more than their heads are worth, and who is slow, calls or texts no less.

The nightly run has 10,000 bots (HEALTHCERT_BOTS); chance from a seed, so each run is the same.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest

from healthcert.config import Settings
from healthcert.parts import open_parts
from tests.fairness.simulation import Day, Simulation

BOTS = int(os.environ.get("HEALTHCERT_BOTS", "800"))
MANY = 10_000


@pytest.fixture(scope="module")
def parts(tmp_path_factory, sqlite_template, keys_dir):
    """A service of its own, whose secret is the same in each run, and so the lots."""
    folder = tmp_path_factory.mktemp("opening")
    database = shutil.copy(sqlite_template, folder / "test.db")
    (folder / "secret").write_text("the secret of a simulated opening day", "ascii")
    told = {
        "KEYS_DIR": keys_dir, "DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{database}",
    }  # fmt: skip
    made = Settings.from_env({f"HEALTHCERT_{name}": str(value) for name, value in told.items()})
    with closing(open_parts(made)) as opened:
        yield replace(opened, settings=made.at(secret_file=folder / "secret"))


@pytest.fixture(scope="module")
def day(parts):
    simulated = Simulation(parts, "fair", bots=BOTS, honest=BOTS, places=BOTS // 2)
    return simulated.run(), simulated


def test_bots_win_at_most_their_share(day, say):
    told, _ = day
    assert told.won.total() == BOTS // 2
    say(_in_words(told))
    assert told.share("bot") <= 1.05


@pytest.mark.parametrize("way", ["web", "slow", "text"])
def test_whoever_was_drawn_wins_however_slow_the_way_they_come(day, way):
    told, _ = day
    assert told.won[way] >= 0.95 * told.drawn[way] > 0
    if BOTS >= MANY:  # of a few dozen people the lot itself strays further
        assert told.share(way) >= 0.95


def test_who_calls_wins_at_least_their_share(day):
    assert day[0].share("phone") >= 0.95


def test_out_of_turn_and_with_the_ticket_of_another_nobody_books(day):
    told, simulated = day
    assert told.refused["turn waiting"] > told.refused["the ticket of another"] > 0
    assert told.refused["no place"] == 0, "somebody was let in for whom there was no place"
    assert len(simulated.booked) == told.won.total() - told.won["phone"]
    kinds = Counter(who.partition("-")[0] for who in simulated.booked)
    assert kinds + Counter(phone=told.won["phone"]) == told.won


def _in_words(told: Day) -> str:
    shares = ", ".join(
        f"{way} {told.share(way):.3f} ({told.won[way]} of {told.drawn[way] or 'its own'})"
        for way in told.people
    )
    return (
        f"{told.people['bot']} bots of {told.people.total()} people, {told.won.total()} places. "
        f"Won of their share (and of those drawn): {shares}. Refused: {dict(told.refused)}"
    )
