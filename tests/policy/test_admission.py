"""The line moves as fast as people are served, and never past the places there are."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.policy.admission import (
    FASTEST,
    FIRST,
    SLOWEST,
    TURN,
    Standing,
    Step,
    before,
    kept,
    lately,
    marks,
    next_rate,
    next_step,
    standing,
)
from healthcert.policy.tickets import LATER, Ticket

CROWD = range(10, 100_010, 10)


def step(steps, at, left, places=CROWD, **more):
    return next_step(kept(steps, at), places, at=at, left=left, took=0, **more)


def test_the_first_step_lets_in_what_the_first_rate_allows():
    found = step([Step(0, -1, 1000)], 5, 1000)
    assert (found.been, found.upto) == (25, 250)  # five seconds at five a second


def test_nobody_is_let_in_for_whom_there_is_no_place():
    steps = [Step(0, -1, 20)]
    for at in range(5, TURN, 5):
        steps.append(step(steps, at, 20))
    assert steps[-1].been == 20
    steps.append(step(steps, TURN, 13))  # seven have booked: their places are gone with them
    assert steps[-1].been == 20


def test_what_those_leave_whose_turn_is_over_goes_to_the_next():
    steps = [Step(0, -1, 20)]
    for at in range(5, TURN + 65, 5):
        here = [place for place in range(10, 500, 10) if place > kept(steps, at)[0].upto]
        steps.append(step(steps, at, 5, here))
    assert steps[-1].been == 25  # fifteen booked, five did not come, five more are asked
    assert kept(steps, TURN + 60)[0].at <= 60


@given(st.floats(0.2, 500), st.floats(0, 1000), st.floats(0, 60))
def test_the_rate_stays_within_its_bounds_and_falls_when_it_is_too_much(rate, finished, took):
    found = next_rate(rate, finished, took)
    assert SLOWEST <= found <= FASTEST
    if took > 0.5:
        assert found <= max(SLOWEST, rate)
        assert found <= max(SLOWEST, 0.85 * max(finished, rate))
    else:
        assert found >= min(rate, FIRST) / 1.25


@pytest.mark.walk
@pytest.mark.parametrize(("capacity", "share"), [(3, 0.85), (60, 0.9)])
def test_the_line_finds_what_the_service_can_do_and_keeps_to_it(capacity, share):
    """People take a minute or two between their turn and their booking."""
    chance, steps, left = Random(capacity), [Step(0, -1, 10**6)], 10**6
    places, ready, queue, done = range(4 * 10**6), deque(), 0, []
    for at in range(5, 5400, 5):
        slow = queue / capacity
        steps = [*kept(steps, at)]
        last = next_step(steps, places, at=at, left=left, took=slow + 60 * (queue > 10 * capacity))
        ready.extend(at + chance.uniform(40, 120) for _ in range(last.been - steps[-1].been))
        steps.append(last)
        queue += sum(one <= at for one in ready)
        ready = deque(one for one in ready if one > at)
        served = min(queue, 5 * capacity)
        queue, left = queue - served, left - served
        done.append(served / 5)
    settled = done[len(done) // 3 :]
    assert sum(settled) / len(settled) >= share * capacity
    assert max(step.rate for step in steps) <= 2.5 * max(capacity, FIRST)


@given(st.lists(st.integers(0, 1 << 33), unique=True, max_size=300))
def test_everybody_can_tell_about_how_many_are_before_them(places):
    waiting = sorted(places)
    told = marks(waiting)
    assert len(told) <= 66
    for number, place in enumerate(waiting):
        assert abs(before(place, told) - number) <= max(1, len(waiting) // 32)
    assert [before(place, told) for place, _ in told] == [count for _, count in told]


SEED = b"s" * 32
LINE = {"seed": SEED.hex(), "since": LATER + 10, "upto": LATER + 20, "per_minute": 30,
        "marks": [[LATER + 21, 0], [LATER + 221, 200]]}  # fmt: skip


@pytest.mark.parametrize(
    ("came", "line", "told"),
    [
        (5, {}, Standing("soon")),
        (5, LINE | {"seed": None}, Standing("soon")),
        (10, LINE, Standing("over", LATER + 10)),
        (11, LINE, Standing("go", LATER + 11)),
        (20, LINE, Standing("go", LATER + 20)),
        (121, LINE, Standing("waiting", LATER + 121, 100, 4)),
        (121, LINE | {"per_minute": 0}, Standing("waiting", LATER + 121, 100, None)),
    ],
)
def test_whoever_has_a_ticket_can_tell_how_it_is_with_it(came, line, told):
    assert standing(Ticket(b"somebody", came), line) == told


def test_where_nobody_waits_nobody_is_before():
    assert before(5, marks([])) == 0
    assert before(99, marks([1, 2])) == 2


def test_a_crowd_that_is_looked_at_in_part_counts_for_the_whole():
    found = step([Step(0, -1, 1000, 0, 100)], 15, 1000, each=10)
    assert found.been == 10 * (found.upto // 10) == 1000
    assert found.left == 1000


def test_figures_are_of_the_last_minute():
    steps = [Step(at, at, 10) for at in (0, 30, 60, 90)]
    assert lately(steps, 95) == steps[2]
    assert lately(steps, 900) == steps[-1]
    assert [one.at < two.at for one, two in pairwise(kept(steps, 40 + TURN))] == [True, True]
