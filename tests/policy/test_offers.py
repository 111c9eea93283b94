"""Offers: never more expected than there are places, never at night, always time to answer."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcert.policy import offers

BEIRUT = "Asia/Beirut"
NIGHT = (time(21), time(8))
NIGHTS = st.tuples(
    st.integers(18, 23).map(time), st.sampled_from([time(0), time(6), time(7, 30), time(8)])
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(["UTC", BEIRUT, "Asia/Kolkata", "America/New_York", "Pacific/Kiritimati"])


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 99), st.integers(0, 300))
def test_those_expected_to_accept_never_exceed_the_places(accepted, others, places, still_open):
    rate = offers.acceptance(accepted, accepted + others)
    assert 0 < rate <= 1
    more = offers.room(places, still_open, rate)
    assert more >= 0
    if more:
        assert (still_open + more) * rate <= places
    assert (still_open + more + 1) * rate > places  # and as many as may be are made


def test_before_anything_is_known_one_place_is_offered_to_one():
    assert offers.room(1, 0, offers.acceptance(0, 0)) == 1
    assert offers.room(1, 1, offers.acceptance(0, 0)) == 0
    assert offers.room(10, 0, offers.acceptance(0, 0)) == 11
    assert offers.room(1, 0, offers.acceptance(0, 40)) == 5


@settings(deadline=None)
@given(MOMENTS, st.integers(0, 60 * 24 * 40), NIGHTS, ZONES)
def test_no_offer_is_made_or_ends_at_night_and_all_leave_time_to_answer(now, lead, quiet, zone):
    starts_at = now + timedelta(minutes=lead)
    ends = offers.until(now, starts_at, quiet, zone)
    if ends is None:
        return
    assert offers.night(now, quiet, zone) is None
    by_day = sum(
        offers.night(now + timedelta(minutes=each), quiet, zone) is None
        for each in range(round((ends - now) / timedelta(minutes=1)))
    )
    short = starts_at - now < offers.SHORT_NOTICE
    assert (45 if short else 29) <= by_day <= 24 * 60 + 1
    assert ends <= starts_at - timedelta(minutes=15)
    last = ends - timedelta(seconds=1)
    assert offers.night(last, quiet, zone) is None


@pytest.mark.parametrize(
    ("now", "hours", "ends"),
    [
        ("2026-03-02T10:00", 4, "2026-03-02T10:30"),  # half an hour at least
        ("2026-03-02T10:00", 48, "2026-03-02T16:00"),  # an eighth
        ("2026-03-02T10:00", 24 * 30, "2026-03-03T21:00"),  # a day without its night
        ("2026-03-02T18:30", 48, "2026-03-03T11:30"),  # it stands still from nine until eight
        ("2026-03-02T10:00", 2, "2026-03-02T10:45"),  # on standby
        ("2026-03-02T10:00", 0.9, None),  # too late to answer and get there
        ("2026-03-02T20:50", 11, None),  # the morning is too late
        ("2026-03-02T21:00", 48, None),
        ("2026-03-02T07:59", 48, None),
    ],
)
def test_an_offer_lasts_as_the_rules_say(now, hours, ends):
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = offers.until(at, at + timedelta(hours=hours), NIGHT, "UTC")
    assert found == (ends and datetime.fromisoformat(ends).replace(tzinfo=UTC))


def test_a_country_without_a_night_offers_at_any_hour():
    at = datetime(2026, 3, 2, 23, tzinfo=UTC)
    none = (time(0), time(0))
    assert offers.until(at, at + timedelta(days=2), none, "UTC") == at + timedelta(hours=6)


def test_the_night_is_that_of_the_clock_of_the_place():
    assert offers.night(datetime(2026, 3, 2, 20, tzinfo=UTC), NIGHT, BEIRUT) == datetime(
        2026, 3, 3, 6, tzinfo=UTC
    )
    assert offers.night(datetime(2026, 3, 2, 20, tzinfo=UTC), NIGHT, "UTC") is None
