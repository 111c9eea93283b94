"""Which dose is due when, and what a certificate says of its number.

The rules are data (`healthcert.data.knowledge`): the series of the first dose that counts says
how many make a series and how far apart; what comes after it is a booster. Days of grace judge
doses that were given (`policy.worth`); they never schedule one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

BoosterTotal = Literal["number", "series"]


@dataclass(frozen=True, slots=True)
class Series:
    """How a product is given, from its knowledge file; intervals in days, age in years."""

    doses: int
    min_interval: int
    target_interval: int
    booster_interval: int
    grace: int
    min_age: int
    booster_total: BoosterTotal = "number"


@dataclass(frozen=True, slots=True)
class NextDose:
    """A dose to come: its number, first possible day, day to aim at, and whether it boosts."""

    number: int
    earliest: date
    target: date
    booster: bool


def next_due(counted: Sequence[tuple[date, Series]], today: date) -> NextDose:
    """Return the dose to come: of the series, or after it a booster.

    Args:
        counted: The days of the doses that count and the rules of their products, in order.
        today: Where nothing was given yet, the first dose may be given from this day.
    """
    if not counted:
        return NextDose(1, today, today, booster=False)
    last, primary = counted[-1][0], counted[0][1]
    booster = len(counted) >= primary.doses
    least = primary.booster_interval if booster else primary.min_interval
    aim = primary.booster_interval if booster else primary.target_interval
    return NextDose(
        number=len(counted) + 1,
        earliest=last + timedelta(days=least),
        target=last + timedelta(days=aim),
        booster=booster,
    )


def doses_stated(number: int, primary: Series) -> tuple[int, int]:
    """Return ``dn`` and ``sd`` of a certificate (EU DCC: dose number, doses in the series).

    A booster after a series of one is 2/1, after a series of two 3/3: `booster_total` says which.

    Args:
        number: Which counted dose it is, 1 for the first.
        primary: The rule of the first dose that counts.
    """
    if number <= primary.doses or primary.booster_total == "series":
        return number, primary.doses
    return number, number


def old_enough(birth_date: str, day: date, years: int) -> bool:
    """Say whether a person may have reached an age by a day; an open month or day speaks for it."""
    parts = [int(part) for part in birth_date.split("-")]
    year, month, day_of_month = (*parts, 1, 1)[:3]
    return (day.year - years, day.month, day.day) >= (year, month, day_of_month)
