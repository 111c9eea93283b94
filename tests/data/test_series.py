"""What becomes of a vaccine's file: the rule of the schedule."""

from __future__ import annotations

from datetime import date
from typing import Any

from healthcert.data.series import series

SERIES = {
    "doses": 2, "min_interval_days": 21, "target_interval_days": 28, "grace_days": 4,
    "min_age_months": 6, "booster_total": "number", "max_interval_days": 42,
    "when_late": "restart", "volume": "0.3 mL",
    "bands": [
        {"min_age_months": 6, "below_years": 5, "doses": 3, "volume": "0.1 mL"},
        {"min_age_years": 5, "below_years": 12, "volume": "0.2 mL"},
        {"min_age_years": 12},
    ],
}  # fmt: skip


def rule(**more: Any):
    return series({"code": "X", "series": SERIES, **more})


def test_a_band_says_what_differs_and_the_series_the_rest():
    day = date(2026, 3, 2)
    given = [rule().at(born, day) for born in ("2025-09-02", "2021-03-02", "2014-03-02")]
    assert [(each.doses, each.volume) for each in given] == [
        (3, "0.1 mL"), (2, "0.2 mL"), (2, "0.3 mL"),
    ]  # fmt: skip
    assert [(each.min_age_months, each.below_months) for each in given] == [
        (6, 60), (60, 144), (144, None),
    ]  # fmt: skip
    assert {each.min_interval for each in given} == {21}
    assert rule().at("2025-09-03", day).doses == 2  # no band fits: not of the age


def test_which_products_may_come_before_is_open_unless_the_file_says():
    assert rule().after is None
    assert rule(after=[{"product": "Y", "min_interval_days": 56}]).after == {"Y": 56}
    assert rule().restarts


def test_nobody_is_given_it_above_the_last_band():
    bands = [{"min_age_months": 6, "below_years": 5}]
    children = series({"code": "X", "series": {**SERIES, "bands": bands}})
    day = date(2026, 3, 2)
    assert children.at("2022", day).suits("2022", day)
    assert not children.at("2010", day).suits("2010", day)
