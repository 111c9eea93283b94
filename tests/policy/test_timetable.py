"""Slots fill the time a site is open, around those that are there, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.policy import timetable

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def at(minutes: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=minutes)


def spans(*told: tuple[int, int]) -> list[timetable.Times]:
    return [(at(begins), at(ends)) for begins, ends in told]


def minutes(times) -> list[tuple[int, int]]:
    """Return times in minutes from midnight."""
    return [tuple((each - MIDNIGHT) // timedelta(minutes=1) for each in one) for one in times]


@st.composite
def apart(draw, most: int = 4) -> list[timetable.Times]:
    """Return stretches of a day in order, none over another; they may touch."""
    ends = sorted(draw(st.lists(st.integers(0, 300), max_size=2 * most)))
    told = zip(ends[::2], ends[1::2], strict=False)
    return spans(*((begins, closes) for begins, closes in told if begins < closes))


@given(apart(), st.integers(5, 60), apart())
def test_slots_lie_within_overlap_nothing_and_leave_no_room_for_another(when, length, there):
    each = timedelta(minutes=length)
    found = [*timetable.slots(when, each, there)]
    assert all(timetable.within(slot, when) and slot[1] - slot[0] == each for slot in found)
    both = sorted([*found, *there])
    assert all(one[1] <= other[0] for one, other in pairwise(both))
    for opens, closes in when:
        edges = [opens, *(edge for one in both for edge in one if opens < edge < closes), closes]
        free = [
            (begins, ends)
            for begins, ends in pairwise(edges)
            if not any(one[0] < ends and begins < one[1] for one in both)
        ]
        assert all(ends - begins < each for begins, ends in free)


@given(apart(), st.integers(0, 300), st.integers(1, 60))
def test_a_slot_is_within_where_each_of_its_minutes_is(when, begins, length):
    open_minutes = {n for one in minutes(when) for n in range(*one)}
    slot = (at(begins), at(begins + length))
    assert timetable.within(slot, when) == (set(range(begins, begins + length)) <= open_minutes)


def test_slots_go_on_where_those_that_are_there_end():
    found = timetable.slots(spans((0, 100)), timedelta(minutes=20), spans((10, 30), (95, 120)))
    assert minutes(found) == [(30, 50), (50, 70), (70, 90)]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 4), (date(2026, 3, 29), 3), (date(2026, 10, 25), 5)]
)
def test_a_day_is_as_long_as_its_clock_says(day, hours):
    week = [(n, time(1), time(5)) for n in range(1, 8)]
    [(opens, closes)] = timetable.opened(day, week, PARIS)
    assert closes - opens == timedelta(hours=hours)
    assert len([*timetable.slots([(opens, closes)], timedelta(hours=1))]) == hours
    assert timetable.opened(day, [(1, time(1), time(5))], PARIS) == []
