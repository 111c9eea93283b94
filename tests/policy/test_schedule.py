"""What a dose is worth, by the rules in the files and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.policy import schedule, worth
from healthcert.policy.ages import reaches
from healthcert.policy.schedule import Series
from healthcert.policy.worth import Found, Given, LotRecord

TWO = Series(2, 21, 28, 90, 4, 144)
ONE = Series(1, 0, 0, 60, 4, 216, "series")
DAY = date(2026, 3, 2)
LONG = timedelta(days=4000)
LOT = LotRecord("released", DAY - LONG, DAY + LONG)
NOT_YET = LotRecord("released", DAY + timedelta(days=1), DAY + LONG)
ADULT = "1980"


def dose(number: int, days: int, **changes) -> Given:
    facts = {"series": TWO, "in_programme": True, "lot": LOT, **changes}
    return Given(UUID(int=number), DAY + timedelta(days=days), number, **facts)


def counts(*doses: Given, born: str = ADULT) -> list[tuple[str, int | None]]:
    found = worth.judge(doses, born)
    return [(found[each.dose_id].counts, found[each.dose_id].number) for each in doses]


def test_doses_far_enough_apart_are_numbered_in_their_order():
    assert counts(dose(1, 0), dose(2, 21), dose(3, 111)) == [("valid", n) for n in (1, 2, 3)]


def test_the_order_of_telling_does_not_matter():
    assert counts(dose(1, 21), dose(2, 0)) == [("valid", 2), ("valid", 1)]


@pytest.mark.parametrize(("days", "worth"), [(16, "too_early"), (17, "valid")])
def test_grace_is_taken_off_the_least_interval(days, worth):
    assert counts(dose(1, 0), dose(2, days))[1][0] == worth


@pytest.mark.parametrize(("days", "worth"), [(106, "too_early"), (107, "valid")])
def test_a_booster_waits_its_own_interval(days, worth):
    assert counts(dose(1, 0), dose(2, 21), dose(3, days))[2][0] == worth


def test_what_does_not_count_does_not_hold_back_what_comes_after():
    assert counts(dose(1, 0), dose(2, 10), dose(3, 21)) == [
        ("valid", 1),
        ("too_early", None),
        ("valid", 2),
    ]


def test_a_second_dose_of_one_day_is_a_duplicate():
    assert counts(dose(1, 0), dose(2, 0))[1] == ("duplicate", None)


def test_a_tenth_dose_is_a_duplicate():
    assert counts(*[dose(n, 100 * n) for n in range(1, 11)])[-1] == ("duplicate", None)


def test_the_stricter_interval_of_two_products_holds():
    strict = Series(2, 28, 28, 90, 0, 144)
    assert counts(dose(1, 0), dose(2, 24, series=strict))[1][0] == "too_early"


@pytest.mark.parametrize(
    ("changes", "worth"),
    [
        ({"in_programme": False, "lot": None}, "wrong_product"),
        ({"lot": None}, "unknown"),
        ({"lot": LotRecord("recalled", DAY, DAY)}, "recalled_lot"),
        (
            {"lot": LotRecord("released", DAY + timedelta(days=1), DAY + timedelta(days=2))},
            "unknown",
        ),
        (
            {"lot": LotRecord("released", DAY - timedelta(days=9), DAY - timedelta(days=1))},
            "expired_lot",
        ),
        ({"lot": LotRecord("released", DAY, DAY)}, "valid"),
        ({"lot": None, "needs_lot": False}, "valid"),
        ({"doubt": "no_evidence", "needs_lot": False}, "unknown"),
        ({"found": Found("subpotent", "frozen")}, "subpotent"),
        ({"found": Found("entered_in_error", "other"), "lot": None}, "entered_in_error"),
    ],
)
def test_each_fault_has_its_word(changes, worth):
    assert counts(dose(1, 0, **changes))[0][0] == worth


def why(*doses: Given) -> str:
    return worth.judge(doses, ADULT)[doses[-1].dose_id].reason


def test_a_reason_says_more_where_one_word_has_several():
    assert why(dose(1, 0, lot=None)) == "lot_unknown"
    assert why(dose(1, 0, lot=NOT_YET)) == "lot_not_released"
    assert why(dose(1, 0), dose(2, 0)) == "same_day"
    full = [dose(number, 200 * number) for number in range(1, worth.HIGHEST_NUMBER + 2)]
    assert why(*full) == "series_full"
    for clear in ([dose(1, 0)], [dose(1, 0), dose(2, 1)], [dose(1, 0, in_programme=False)]):
        assert why(*clear) == ""


def test_the_next_of_a_series_has_a_first_and_maybe_a_last_day():
    least = DAY + timedelta(days=21)
    assert TWO.days_after(DAY) == (least, date.max)
    assert replace(TWO, max_interval=42).days_after(DAY) == (least, DAY + timedelta(days=42))


def test_the_first_dose_has_no_interval_and_a_grace_makes_none_negative():
    found = worth.judge([dose(1, 0), dose(2, 30)], ADULT)
    assert [each.min_interval for each in found.values()] == [0, 17]
    quick = Series(2, 2, 28, 90, 4, 12)
    found = worth.judge([dose(1, 0, series=quick), dose(2, 1, series=quick)], ADULT)
    assert [each.min_interval for each in found.values()] == [0, 0]


def test_what_a_person_found_stands():
    assert worth.KEPT == ("entered_in_error", "subpotent")


@pytest.mark.parametrize(
    ("born", "worth"),
    [("2014-03-02", "valid"), ("2014-03-03", "outside_age"), ("2014-03", "valid"),
     ("2014-04", "outside_age"), ("2014", "valid"), ("2015", "outside_age")],
)  # fmt: skip
def test_what_is_open_in_a_birth_date_speaks_for_the_person(born, worth):
    assert counts(dose(1, 0), born=born)[0][0] == worth


def test_an_open_month_is_january_and_an_open_day_the_first():
    assert reaches("2014", 12 * 12) == date(2026, 1, 1)
    assert reaches("2014-03", 12 * 12) == date(2026, 3, 1)


def test_a_birthday_on_a_leap_day_comes_on_the_first_of_march():
    assert reaches("2008-02-29", 18 * 12) == date(2026, 3, 1)


def test_grace_of_a_pair_is_taken_off_too_and_another_product_may_not_follow():
    mixed = replace(TWO, product="B", after={"A": 28})
    first = dose(1, 0, series=replace(TWO, product="A"))
    assert counts(first, dose(2, 24, series=mixed))[1] == ("valid", 2)
    assert counts(first, dose(2, 23, series=mixed))[1] == ("too_early", None)
    other = dose(1, 0, series=replace(TWO, product="C"))
    found = worth.judge([other, dose(2, 60, series=mixed)], ADULT)[UUID(int=2)]
    assert (found.counts, found.reason) == ("wrong_product", "not_after")


def test_a_dose_that_no_rule_foresees_is_one_too_many():
    once = replace(ONE, booster_interval=None)
    found = worth.judge([dose(1, 0, series=once), dose(2, 900, series=once)], ADULT)[UUID(int=2)]
    assert (found.counts, found.reason) == ("duplicate", "series_full")


def test_a_dose_is_judged_by_the_rule_for_the_age_of_its_day():
    child = replace(TWO, doses=3, min_interval=28, min_age_months=60, below_months=144)
    both = replace(TWO, min_age_months=60, bands=(child, TWO))
    history = [dose(1, 0, series=both), dose(2, 20, series=both)]
    assert counts(*history, born="2018")[1] == ("too_early", None)  # 28 less 4 of grace
    assert counts(*history, born="2000")[1] == ("valid", 2)
    assert counts(*history, born="2022")[0] == ("outside_age", None)


@pytest.mark.parametrize(
    ("series", "totals"),
    [
        (TWO, [(1, 2), (2, 2), (3, 3)]),
        (ONE, [(1, 1), (2, 1), (3, 1)]),
        (replace(ONE, booster_total="number"), [(1, 1), (2, 2), (3, 3)]),
    ],
)
def test_a_certificate_states_number_and_total_as_the_union_writes_them(series, totals):
    given_on = [DAY, DAY + timedelta(days=30), DAY + timedelta(days=200)]
    assert schedule.stated([(day, series) for day in given_on]) == totals


def test_a_series_that_began_anew_is_not_stated_as_complete():
    anew = replace(TWO, max_interval=60, restarts=True)
    given_on = [DAY, DAY + timedelta(days=61), DAY + timedelta(days=90)]
    assert schedule.stated([(day, anew) for day in given_on]) == [(1, 2), (2, 3), (3, 3)]


@given(st.lists(st.integers(0, 400), max_size=8), st.randoms())
def test_counted_doses_are_numbered_without_gaps_and_keep_their_distance(days, chance):
    history = [dose(number, offset) for number, offset in enumerate(days)]
    found = worth.judge(history, ADULT)
    chance.shuffle(history)
    assert worth.judge(history, ADULT) == found
    counted = sorted(
        (each for each in history if found[each.dose_id].counts == "valid"),
        key=lambda each: each.given_on,
    )
    assert [found[each.dose_id].number for each in counted] == list(range(1, len(counted) + 1))
    for before, after in pairwise(counted):
        distance = (after.given_on - before.given_on).days
        assert distance >= max(1, found[after.dose_id].min_interval)
