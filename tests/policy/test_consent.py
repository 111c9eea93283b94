"""Who may agree to a vaccination, by age, as a country has it; and how old somebody is."""

from __future__ import annotations

from datetime import date

import pytest

from healthcert.data.knowledge import country
from healthcert.policy.ages import months_old
from healthcert.policy.consent import deciders

DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("born", "may"),
    [
        ("2020-01-01", ["parent", "guardian"]),
        ("2010-03-03", ["parent", "guardian"]),
        ("2010-03-02", ["self", "parent", "guardian"]),
        ("2008-03-02", ["self", "guardian", "carer"]),
        ("2008", ["self", "parent", "guardian"]),  # read as late as can be
        ("1950", ["self", "guardian", "carer"]),
    ],
)
def test_age_and_relation_say_who_may_agree(born, may):
    assert deciders(country("XX").deciders, born, DAY) == may


@pytest.mark.parametrize(
    ("born", "months"),
    [("2026-03-02", 0), ("2026-02-03", 0), ("2026-02-02", 1), ("2024-02-29", 24), ("2024-02", None),
     ("2024-03-03", 23), ("2024", None)],
)  # fmt: skip
def test_an_age_is_in_whole_months_and_an_open_one_is_not_known(born, months):
    assert months_old(born, DAY) == months
