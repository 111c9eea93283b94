"""What a dose is worth, which number it has, and when the next one is due.

A dose is a fact; this judges it, knowing the whole history toward one disease. The rules are
data (`healthcert.data.knowledge`): the series of the first dose that counts says how many make
a series and how far apart; what comes after it is a booster. Days of grace judge doses that
were given; they never schedule one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

BoosterTotal = Literal["number", "series"]
HIGHEST_NUMBER = 9
KEPT = ("entered_in_error", "subpotent")  # a person found this; no rule finds otherwise


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
class LotRecord:
    """What our books say of a lot on the day of the dose."""

    state: str
    released_on: date
    expires_on: date


@dataclass(frozen=True, slots=True)
class Given:
    """A dose that was given, and all that its worth depends on.

    Attributes:
        dose_id: The dose.
        given_on: The day at the site.
        order: What orders doses of one day: when they were written down.
        series: The rule of its product.
        in_programme: Whether the programme gives this product.
        lot: The lot's validity in force that day; None where our books do not know the lot.
        needs_lot: False for a dose given elsewhere, whose lot is not ours to know.
        found: What a person found of it, one of `KEPT`, or empty.
    """

    dose_id: UUID
    given_on: date
    order: object
    series: Series
    in_programme: bool
    lot: LotRecord | None
    needs_lot: bool = True
    found: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a dose counts as: the word, its number in the series, and the rule it was judged by.

    Attributes:
        counts: One of `healthcert.models.dose.COUNTS`.
        number: Which counted dose it is; None where it does not count.
        min_interval: Least days to the dose before, grace taken off.
        reason: A stable code that says more than `counts`, or empty.
    """

    counts: str
    number: int | None
    min_interval: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NextDose:
    """A dose to come: its number, first possible day, day to aim at, and whether it boosts."""

    number: int
    earliest: date
    target: date
    booster: bool


def judge(history: Sequence[Given], birth_date: str) -> dict[UUID, Judgement]:
    """Return what each dose of one person toward one disease is worth.

    Args:
        history: Every dose that was recorded, in any order.
        birth_date: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; what is open speaks for the person.
    """
    found: dict[UUID, Judgement] = {}
    counted: list[Given] = []
    for dose in sorted(history, key=lambda given: (given.given_on, given.order)):
        judged = _judge_one(dose, counted, birth_date)
        found[dose.dose_id] = judged
        if judged.counts == "valid":
            counted.append(dose)
    return found


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


def _judge_one(dose: Given, counted: list[Given], birth_date: str) -> Judgement:
    interval = max(0, _least_days(dose, counted) - dose.series.grace)
    if dose.found:
        return Judgement(dose.found, None, interval)
    wrong = _product_and_lot(dose) or _person_and_time(dose, counted, birth_date, interval)
    if wrong:
        return Judgement(wrong[0], None, interval, wrong[1])
    return Judgement("valid", len(counted) + 1, interval)


def _product_and_lot(dose: Given) -> tuple[str, str] | None:
    lot = dose.lot
    if not dose.in_programme:
        return "wrong_product", ""
    if not dose.needs_lot:
        return None
    if lot is None:
        return "unknown", "lot_unknown"
    if lot.state == "recalled":
        return "recalled_lot", ""
    if dose.given_on < lot.released_on:
        return "unknown", "lot_not_released"
    return ("expired_lot", "") if dose.given_on > lot.expires_on else None


def _person_and_time(
    dose: Given, counted: list[Given], birth_date: str, interval: int
) -> tuple[str, str] | None:
    if not old_enough(birth_date, dose.given_on, dose.series.min_age):
        return "outside_age", ""
    if not counted:
        return None
    days = (dose.given_on - counted[-1].given_on).days
    if days == 0 or len(counted) >= HIGHEST_NUMBER:
        return "duplicate", "same_day" if days == 0 else "series_full"
    return ("too_early", "") if days < interval else None


def _least_days(dose: Given, counted: list[Given]) -> int:
    """Return the days that must lie before a dose, by the series it belongs to."""
    if not counted:
        return 0
    primary = counted[0].series
    if len(counted) >= primary.doses:
        return primary.booster_interval
    return max(primary.min_interval, dose.series.min_interval)
