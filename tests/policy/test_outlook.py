"""Where a person stands and which dose is due: worked examples that a clinician can review."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.policy.ages import reaches
from healthcert.policy.schedule import Outlook, Series, outlook, wait

YEAR = 12
# Two doses, 21 days at least, 28 aimed at, 42 at most; a booster after 90 days, advised after 180.
TWO = Series(2, 21, 28, 90, 4, 12 * YEAR, max_interval=42, booster_target=180, product="TWO")
ONE = Series(1, 0, 0, 60, 4, 18 * YEAR, "series", product="ONE")
LIFELONG = Series(1, 0, 0, None, 0, 9, protects_after=10, product="LIFELONG")
ANEW = replace(TWO, restarts=True, product="ANEW")
CHILD = replace(TWO, doses=3, min_age_months=5 * YEAR, below_months=12 * YEAR)
BANDED = replace(TWO, min_age_months=5 * YEAR, bands=(CHILD, TWO))
AFTER_ONE = replace(TWO, product="B", after={"ONE": 56})
ADULT = "1980-05-17"


def on(text: str) -> date:
    return date.fromisoformat(text)


def told(found: Outlook) -> tuple[str, ...]:
    """Return an outlook as a line of the table: state, dose number, earliest, target, until."""
    coming = found.next
    if coming is None:
        return (found.state,)
    days = (coming.earliest, coming.target, coming.until)
    number = f"{'booster ' if coming.booster else ''}{coming.number}"
    return (found.state, number, *(str(day) for day in days if day))


# doses given, product, born, asked on, the answer
TABLE = [
    # Nothing given: due at once for an adult, on the birthday for a child.
    ([], TWO, ADULT, "2026-11-21", ("not_started", "1", "2026-11-21", "2026-11-21")),
    ([], TWO, "2014-12-24", "2026-11-21", ("not_started", "1", "2026-12-24", "2026-12-24")),
    ([], TWO, "2014", "2026-11-21", ("not_started", "1", "2026-11-21", "2026-11-21")),
    # One of two given: due between the least and the most days, overdue after.
    (["2026-11-10"], TWO, ADULT, "2026-11-21",
     ("due", "2", "2026-12-01", "2026-12-08", "2026-12-22")),
    (["2026-11-10"], TWO, ADULT, "2026-12-22",
     ("due", "2", "2026-12-01", "2026-12-08", "2026-12-22")),
    (["2026-11-10"], TWO, ADULT, "2026-12-23",
     ("overdue", "2", "2026-12-01", "2026-12-08", "2026-12-22")),
    # A product whose series begins anew when the wait was too long.
    (["2026-11-10"], ANEW, ADULT, "2026-12-22",
     ("due", "2", "2026-12-01", "2026-12-08", "2026-12-22")),
    (["2026-11-10"], ANEW, ADULT, "2026-12-23", ("due", "2", "2026-12-23", "2026-12-23")),
    (["2026-11-10", "2026-12-23"], ANEW, ADULT, "2026-12-24",
     ("due", "3", "2027-01-13", "2027-01-20", "2027-02-03")),
    # Both given: complete until the booster is advised, and the booster due from then on.
    (["2026-01-01", "2026-01-29"], TWO, ADULT, "2026-07-27",
     ("complete", "booster 3", "2026-04-29", "2026-07-28")),
    (["2026-01-01", "2026-01-29"], TWO, ADULT, "2026-07-28",
     ("booster_due", "booster 3", "2026-04-29", "2026-07-28")),
    # A series of one whose booster may be given, and is not advised.
    (["2026-01-01"], ONE, ADULT, "2030-01-01",
     ("complete", "booster 2", "2026-03-02", "2026-03-02")),
    # Once for a lifetime.
    (["2026-01-01"], LIFELONG, ADULT, "2060-01-01", ("complete",)),
    # Children have three doses, and keep the series they began as children.
    (["2026-01-01", "2026-01-29"], BANDED, "2019-03-01", "2026-02-01",
     ("due", "3", "2026-02-19", "2026-02-26", "2026-03-12")),
    (["2026-01-01", "2026-01-29"], BANDED, "2010-03-01", "2026-02-01",
     ("complete", "booster 3", "2026-04-29", "2026-07-28")),
    ([], replace(TWO, below_months=18 * YEAR), "2000-01-01", "2026-01-01", ("not_started",)),
]  # fmt: skip


@pytest.mark.parametrize(("days", "series", "born", "asked_on", "answer"), TABLE)
def test_worked_examples(days, series, born, asked_on, answer):
    counted = [(on(day), series.at(born, on(day))) for day in days]
    assert told(outlook(counted, series, born, on(asked_on))) == answer


def test_the_reason_says_which_dose_and_why():
    [reason] = outlook([(on("2026-11-10"), TWO)], TWO, ADULT, on("2026-11-21")).reasons
    assert reason.code == "interval"
    assert reason.about == {"number": 2, "not_before": "2026-12-01", "days": 21, "after": 1}


@pytest.mark.parametrize(
    ("counted", "offered", "asked_on", "codes"),
    [
        ([], TWO, "2026-01-01", []),
        (["2025-01-01"], TWO, "2026-01-01", ["interval", "late"]),
        (["2025-01-01"], ANEW, "2026-01-01", ["begun_anew"]),
        (["2025-01-01", "2025-01-29"], TWO, "2026-01-01",
         ["series_complete", "interval", "booster_advised"]),
        (["2025-01-01"], LIFELONG, "2026-01-01", ["series_complete", "no_booster"]),
    ],
)  # fmt: skip
def test_each_answer_carries_its_reasons(counted, offered, asked_on, codes):
    found = outlook([(on(day), offered) for day in counted], offered, ADULT, on(asked_on))
    assert [reason.code for reason in found.reasons] == codes


def test_a_single_dose_protects_from_its_day():
    found = outlook([(on("2026-01-01"), LIFELONG)], LIFELONG, ADULT, on("2026-01-02"))
    assert (found.since, found.until) == (on("2026-01-11"), None)


def test_another_product_follows_only_where_data_says_so_and_by_its_own_interval():
    begun = [(on("2026-01-01"), replace(TWO, product="ONE"))]
    mixed = outlook(begun, AFTER_ONE, ADULT, on("2026-01-02")).next
    assert mixed is not None
    assert mixed.earliest == on("2026-02-26")
    found = outlook([(on("2026-01-01"), TWO)], AFTER_ONE, ADULT, on("2026-01-02"))
    assert (found.next, [reason.code for reason in found.reasons]) == (None, ["not_after"])
    done = outlook([(on("2026-01-01"), LIFELONG)], AFTER_ONE, ADULT, on("2026-01-02"))
    assert [reason.code for reason in done.reasons] == ["series_complete", "not_after"]


def test_a_day_that_a_month_does_not_have_is_the_first_of_the_next():
    assert reaches("2025-05-31", 9) == on("2026-03-01")
    assert reaches("2024-12", 12, latest=True) == on("2025-12-31")
    assert reaches("2024", 0, latest=True) == on("2024-12-31")


series = st.sampled_from([TWO, ONE, LIFELONG, ANEW, BANDED, AFTER_ONE])
gaps = st.lists(st.integers(1, 400), max_size=4)
born = st.sampled_from([ADULT, "2014-12-24", "2010", "2019-03", "2021-01-01"])
DAY = on("2026-01-01")


def history(rule: Series, birth_date: str, distances: list[int]) -> list[tuple[date, Series]]:
    days = [DAY + timedelta(days=sum(distances[:place])) for place in range(len(distances))]
    return [(day, rule.at(birth_date, day)) for day in days]


@given(series, born, gaps, st.integers(0, 900), st.integers(0, 900))
def test_waiting_never_brings_a_dose_nearer(rule, birth_date, distances, wait_1, wait_2):
    counted = history(rule, birth_date, distances)
    last = counted[-1][0] if counted else DAY
    sooner, later = sorted((wait_1, wait_2))
    first = outlook(counted, rule, birth_date, last + timedelta(days=sooner))
    then = outlook(counted, rule, birth_date, last + timedelta(days=later))
    if first.next and then.next:
        assert then.next.earliest >= first.next.earliest
        assert then.next.number == first.next.number
    order = ("not_started", "due", "overdue", "complete", "booster_due")
    if not rule.restarts:
        assert order.index(then.state) >= order.index(first.state)


@given(series, born, gaps, st.integers(0, 900), st.integers(0, 20))
def test_grace_never_schedules_and_deciding_twice_gives_the_same(
    rule, birth_date, distances, waited, grace
):
    counted = history(rule, birth_date, distances)
    today = (counted[-1][0] if counted else DAY) + timedelta(days=waited)
    found = outlook(counted, rule, birth_date, today)
    assert found == outlook(counted, replace(rule, grace=grace), birth_date, today)
    if found.next and counted and found.next.earliest < today:
        least = wait(counted, rule.at(birth_date, today), today).days
        assert (found.next.earliest - counted[-1][0]).days >= least
    if found.next:
        assert found.next.earliest <= found.next.target
        assert found.next.until is None or found.next.earliest <= found.next.until
