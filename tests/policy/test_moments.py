"""Date-times as JavaScript counts them; the expected values were taken from Node 20."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import RuleError
from healthcert.policy.moments import INVALID, Moment, birth_date, read, shift


def written(milliseconds):
    return str(Moment(milliseconds))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-06-01", "2021-06-01T00:00:00.000Z"),
        ("2021", "2021-12-31T00:00:00.000Z"),
        ("2021-02", "2021-02-28T00:00:00.000Z"),
        ("2021-12", "2021-12-31T00:00:00.000Z"),
        ("2021-06-01T10:11:12Z", "2021-06-01T10:11:12.000Z"),
        ("2021-06-01T10:11:12", "2021-06-01T10:11:12.000Z"),
        ("2021-06-01T10:11:12.5", "2021-06-01T10:11:12.500Z"),
        ("2021-06-01T10:11:12.123999Z", "2021-06-01T10:11:12.123Z"),
        ("2021-06-01T10:11:12+2", "2021-06-01T08:11:12.000Z"),
        ("2021-06-01T10:11:12+02", "2021-06-01T08:11:12.000Z"),
        ("2021-06-01T10:11:12+0230", "2021-06-01T07:41:12.000Z"),
        ("2021-06-01T10:11:12-02:30", "2021-06-01T12:41:12.000Z"),
        ("2021-06-01T10:11:12+130", "2021-06-01T08:41:12.000Z"),
        ("2021-02-31", "2021-03-03T00:00:00.000Z"),
        ("2021-01-01T24:00:00Z", "2021-01-02T00:00:00.000Z"),
        ("0000-01-01", "0000-01-01T00:00:00.000Z"),
        ("0000-01-01T00:00:00+02:00", "-000001-12-31T22:00:00.000Z"),
    ],
)
def test_a_text_is_read_as_javascript_reads_it(text, moment):
    assert written(read(text)) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2021-13-01",
        "2021-00-01",
        "2021-01-32",
        "2021-01-00",
        "1963-00",
        "2021-13",
        "2021-01-01T25:00:00Z",
        "2021-01-01T24:00:01Z",
        "2021-01-01T23:60:00Z",
        "2021-01-01T23:59:60Z",
        "2021-01-01T00:00:00+24:00",
        "2021-01-01T00:00:00+01:60",
    ],
)
def test_a_well_formed_text_that_names_no_time_is_invalid(text):
    assert math.isnan(read(text))
    assert written(read(text)) == "Invalid Date"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2021-01-01 00:00:00",
        "2021-01-01T00:00:00z",
        "2021-01-01T00:00:00.Z",
        "2021-01-01T00:00Z",
        "20210101",
        "2021-W01-1",
        "2021-W01-1T10:11:12",
        "2021-01-01\n",
        "٢٠٢١-01-01",
        "2021-01-01T00:00:00." + "0" * 64,
    ],
)
def test_a_text_of_another_form_is_refused(text):
    with pytest.raises(RuleError):
        read(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_any_time_of_our_calendar_is_read_back(time):
    text = f"{time.year:04}-{time:%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"
    assert written(read(text)) == text
    milliseconds = (time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000
    assert abs(read(text) - milliseconds) < 1.5


@pytest.mark.parametrize("text", ["2004", "2004-01", "2004-01-02"])
def test_a_date_of_birth_is_a_date_of_any_precision(text):
    assert birth_date(text) == read(text)


def test_a_date_of_birth_has_no_time():
    with pytest.raises(RuleError):
        birth_date("2004-01-02T00:00:00Z")


@pytest.mark.parametrize(
    ("text", "amount", "unit", "moment"),
    [
        ("2021-06-01", 1, "hour", "2021-06-01T01:00:00.000Z"),
        ("2021-06-01", -1, "day", "2021-05-31T00:00:00.000Z"),
        ("2020-02-29", 1, "year", "2021-03-01T00:00:00.000Z"),
        ("2020-01-31", 1, "month", "2020-03-02T00:00:00.000Z"),
        ("2020-03-31", -1, "month", "2020-03-02T00:00:00.000Z"),
        ("2021-01-01T10:11:12.345Z", -13, "month", "2019-12-01T10:11:12.345Z"),
        ("9999-12-31", 1, "day", "+010000-01-01T00:00:00.000Z"),
        ("2021-01-01", -99_990_000, "day", "-271743-09-06T00:00:00.000Z"),
        ("2021-01-01", 3_280_000, "month", "+275354-05-01T00:00:00.000Z"),
    ],
)
def test_time_runs_over_as_in_javascript(text, amount, unit, moment):
    assert written(shift(amount, unit)(read(text))) == moment


@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        (100_000_000, "day"),
        (-100_100_000, "day"),
        (274_000, "year"),
        (-274_000, "year"),
        (10**300, "hour"),
    ],
)
def test_beyond_the_calendar_there_is_no_time(amount, unit):
    assert math.isnan(shift(amount, unit)(read("2021-01-01")))


@pytest.mark.parametrize("unit", ["hour", "day", "month", "year"])
def test_what_is_no_time_stays_none(unit):
    assert math.isnan(shift(1, unit)(INVALID))


def test_the_calendar_ends_100_million_days_after_1970():
    days = shift(100_000_000, "day")
    assert str(Moment(days(read("1970-01-01")))) == "+275760-09-13T00:00:00.000Z"
    assert math.isnan(days(read("1970-01-01T00:00:00.001Z")))
    years = shift(273_790, "year")
    assert years(read("1970-09-13")) == days(read("1970-01-01"))
    assert math.isnan(years(read("1970-09-14")))
    assert shift(12 * 273_790, "month")(read("1970-09-13")) == years(read("1970-09-13"))


def test_a_date_time_of_64_letters_is_read_and_no_longer_one():
    longest = "2021-06-01T00:00:00.".ljust(64, "0")
    assert read(longest) == read("2021-06-01")
    with pytest.raises(RuleError):
        read(longest + "0")
