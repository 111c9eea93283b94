"""What a dose that was given is worth: a dose is a fact, this judges it.

It knows the whole history toward one disease and the rule of each product, and no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from healthcert.policy.schedule import Series, wait

HIGHEST_NUMBER = 9
KEPT = ("entered_in_error", "subpotent")  # a person found this; a recall alone finds otherwise
_FAULTS = {"not_after": ("wrong_product", "not_after"), "series_full": ("duplicate", "series_full")}


class Found(NamedTuple):
    """What a person finds of a dose: one of `KEPT`, or empty to let the rules judge; and why."""

    counts: str
    reason: str


NOTHING_FOUND = Found("", "")


@dataclass(frozen=True, slots=True)
class LotRecord:
    """What our books say of a lot on the day of the dose."""

    state: str
    released_on: date
    expires_on: date


@dataclass(frozen=True, slots=True)
class Given:
    """A dose that was given, and all that its worth depends on."""

    dose_id: UUID
    given_on: date  # the day at the site
    order: object  # what orders doses of one day: when they were written down
    series: Series  # the rule of its product
    in_programme: bool  # whether the programme gives this product
    lot: LotRecord | None  # in force that day; None where our books do not know the lot
    needs_lot: bool = True  # False for a dose given elsewhere, whose lot is not ours to know
    found: Found = NOTHING_FOUND  # what a person found of it
    doubt: str = ""  # why it is not proved, a stable code, or empty


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a dose counts as: the word, its number in the series, and the rule it was judged by."""

    counts: str  # one of `healthcert.models.dose.COUNTS`
    number: int | None  # which counted dose it is; None where it does not count
    min_interval: int  # least days to the dose before, grace taken off
    reason: str = ""  # a stable code that says more than `counts`, or empty


def judge(history: Sequence[Given], birth_date: str) -> dict[UUID, Judgement]:
    """Return what each dose of one person toward one disease is worth.

    Args:
        history: Every dose that was recorded, in any order.
        birth_date: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; what is open speaks for the person.
    """
    found: dict[UUID, Judgement] = {}
    counted: list[Given] = []
    for told in sorted(history, key=lambda given: (given.given_on, given.order)):
        dose = replace(told, series=told.series.at(birth_date, told.given_on))
        judged = _judge_one(dose, counted, birth_date)
        found[dose.dose_id] = judged
        if judged.counts == "valid":
            counted.append(dose)
    return found


def _judge_one(dose: Given, counted: list[Given], birth_date: str) -> Judgement:
    least = wait([(each.given_on, each.series) for each in counted], dose.series, dose.given_on)
    interval = max(0, least.days - dose.series.grace)
    wrong = (
        _found_or_recalled(dose)
        or _product_and_lot(dose)
        or _person_and_time(dose, counted, birth_date, interval)
        or _FAULTS.get(least.fault)
    )
    if wrong:
        return Judgement(wrong[0], None, interval, wrong[1])
    return Judgement("valid", len(counted) + 1, interval)


def _found_or_recalled(dose: Given) -> tuple[str, str] | None:
    """Return what a person found; a recall goes before, since whoever had the dose must know."""
    recalled = dose.lot is not None and dose.lot.state == "recalled"
    if recalled and dose.found.counts != "entered_in_error":
        return "recalled_lot", ""
    return dose.found if dose.found.counts else None


def _product_and_lot(dose: Given) -> tuple[str, str] | None:
    lot = dose.lot
    if not dose.in_programme:
        return "wrong_product", ""
    if dose.doubt or (dose.needs_lot and lot is None):
        return "unknown", dose.doubt or "lot_unknown"
    if not dose.needs_lot or lot is None:
        return None
    if lot.state != "released" or dose.given_on < lot.released_on:
        return "unknown", "lot_not_released" if lot.state == "released" else "lot_quarantined"
    return ("expired_lot", "") if dose.given_on > lot.expires_on else None


def _person_and_time(
    dose: Given, counted: list[Given], birth_date: str, interval: int
) -> tuple[str, str] | None:
    if not dose.series.suits(birth_date, dose.given_on):
        return "outside_age", ""
    if not counted:
        return None
    days = (dose.given_on - counted[-1].given_on).days
    if days == 0 or len(counted) >= HIGHEST_NUMBER:
        return "duplicate", "same_day" if days == 0 else "series_full"
    return ("too_early", "") if days < interval else None
