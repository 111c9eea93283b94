"""Where a person stands toward a disease, which dose is due when, and why.

The rules are data (`healthcert.data.knowledge`): the series of the first dose that counts says
how many make a series and how far apart; what comes after it is a booster. Days of grace judge
doses that were given (`policy.worth`); they never schedule one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple

from healthcert.policy.ages import Reason, reaches

BoosterTotal = Literal["number", "series"]
State = Literal["not_started", "due", "overdue", "complete", "booster_due"]


@dataclass(frozen=True, slots=True)
class Series:
    """How a product is given, from its knowledge file; intervals in days, ages in months."""

    doses: int  # how many make a series
    min_interval: int  # the least between two of them
    target_interval: int  # what to aim at
    booster_interval: int | None  # the least from the series to a booster; None: there are none
    grace: int  # taken off the least interval when a dose that was given is judged
    min_age_months: int
    booster_total: BoosterTotal = "number"  # how a certificate writes a booster's total
    below_months: int | None = None  # the age from which it is not given; None for every age
    max_interval: int | None = None  # the most between two of the series; None: it does not matter
    restarts: bool = False  # a longer wait begins the series anew, else it goes on
    booster_target: int | None = None  # until a booster is advised; None: it is not
    protects_after: int = 0  # from the last dose of the series
    product: str = ""  # its code
    after: Mapping[str, int] | None = None  # products before it, their intervals; None for any
    volume: str = ""  # how much is given, such as ``0.3 mL``
    bands: tuple[Series, ...] = ()  # the rules for ages that are given it otherwise

    def at(self, birth_date: str, day: date) -> Series:
        """Return the rule for a person of that age; the product's own where no band fits."""
        return next((band for band in self.bands if band.suits(birth_date, day)), self)

    def suits(self, birth_date: str, day: date) -> bool:
        """Say whether a person may be of the right age; an open birth date speaks for them."""
        below = self.below_months
        return reaches(birth_date, self.min_age_months) <= day and (
            below is None or day < reaches(birth_date, below, latest=True)
        )

    def days_after(self, day: date) -> tuple[date, date]:
        """Return the first and the last day for the next of the series after one on a day."""
        last = date.max if self.max_interval is None else day + timedelta(days=self.max_interval)
        return day + timedelta(days=self.min_interval), last

    def lapses(self, days: int) -> bool:
        """Say whether a wait of so many days begins the series anew."""
        return self.restarts and self.max_interval is not None and days > self.max_interval


Counted = Sequence[tuple[date, Series]]
"""The days of the doses that count and the rules of their products at that age, in order."""


class Wait(NamedTuple):
    """The least days to the dose before; or why no such dose follows: a code."""

    days: int
    fault: Literal["", "not_after", "series_full"] = ""


@dataclass(frozen=True, slots=True)
class NextDose:
    """A dose to come: its number, first and last day, day to aim at, and whether it boosts."""

    number: int
    earliest: date
    target: date
    booster: bool
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where a person stands toward a disease on a day, and why."""

    state: State
    next: NextDose | None  # None where none is foreseen
    since: date | None  # when a dose was overdue, or a booster due; when a whole series protects
    until: date | None  # how long a complete series is enough; None for as long as is known
    reasons: tuple[Reason, ...]


def wait(counted: Counted, offered: Series, day: date) -> Wait:
    """Return how long a dose of a product must wait after the doses that count, by a day."""
    start = _start(counted, day)
    if not counted:
        return Wait(0)
    last, primary = counted[-1][1], counted[min(start, len(counted) - 1)][1]
    strict, other = offered.after is not None, last.product != offered.product
    if strict and other and last.product not in (offered.after or {}):
        return Wait(0, "not_after")
    if start < len(counted) and len(counted) - start >= primary.doses:
        days = primary.booster_interval
        return Wait(0, "series_full") if days is None else Wait(days)
    if strict and other:
        return Wait((offered.after or {})[last.product])
    return Wait(max(primary.min_interval, offered.min_interval))


def outlook(counted: Counted, offered: Series, birth_date: str, today: date) -> Outlook:
    """Return where a person stands, were the next dose that of a product.

    What is open in the birth date speaks for the person.
    """
    start = _start(counted, today)
    given = len(counted) - start
    if given and given >= counted[start][1].doses:
        return _complete(counted, start, offered, today)
    early: State = "due" if counted else "not_started"
    when = _days(counted, given, offered, birth_date, today)
    if isinstance(when, Reason):
        return Outlook(early, None, None, None, (when,))
    coming, reasons = when
    if coming.until is None or today <= coming.until:
        return Outlook(early, coming, None, None, reasons)
    since = coming.until + timedelta(days=1)
    late = Reason("late", {"number": coming.number, "since": str(since)})
    return Outlook("overdue", coming, since, None, (*reasons, late))


def stated(counted: Counted) -> list[tuple[int, int]]:
    """Return ``dn`` and ``sd`` of each dose's certificate (EU DCC: dose number, doses in series).

    A booster after a series of one is 2/1, after a series of two 3/3: `booster_total` says which.
    Doses before a series that began anew are counted on top: the second dose, which begins a
    series of two anew, is 2/3.
    """
    found = []
    for number in range(1, len(counted) + 1):
        start = _start(counted[:number], None)
        primary = counted[start][1]
        total = start + primary.doses
        boosts = number > total and primary.booster_total == "number"
        found.append((number, number if boosts else total))
    return found


def _start(counted: Counted, day: date | None) -> int:
    """Return the place of the dose that began the series; beyond the last where it lapsed."""
    start, days = 0, [given_on for given_on, _series in counted]
    for place, (before, after) in enumerate(pairwise(days if day is None else [*days, day]), 1):
        primary = counted[start][1]
        if place - start < primary.doses and primary.lapses((after - before).days):
            start = place
    return start


def _days(
    counted: Counted, given: int, offered: Series, birth_date: str, today: date
) -> tuple[NextDose, tuple[Reason, ...]] | Reason:
    """Return the dose that begins or goes on with a series, or why none is foreseen."""
    number, rule = len(counted) + 1, _rule_when_old_enough(offered, birth_date, today)
    if rule is None:
        return Reason("too_old", {"product": offered.product})
    least = wait(counted, rule, today)
    if least.fault:
        return Reason(least.fault, {"number": number, "product": offered.product})
    by_age = reaches(birth_date, rule.min_age_months)
    aged = Reason("age", {"months": rule.min_age_months, "not_before": str(by_age)})
    reasons: tuple[Reason, ...] = (aged,) if by_age > today else ()
    if not given:
        if counted:
            reasons = (Reason("begun_anew", {"number": number}), *reasons)
        earliest = max(today, by_age)
        return NextDose(number, earliest, earliest, booster=False), reasons
    last, primary = counted[-1][0], counted[len(counted) - given][1]
    earliest = max(last + timedelta(days=least.days), by_age)
    target = max(earliest, last + timedelta(days=primary.target_interval))
    most = primary.max_interval
    until = None if most is None else max(earliest, last + timedelta(days=most))
    coming = NextDose(number, earliest, target, booster=False, until=until)
    return coming, (_apart(number, last, least.days), *reasons)


def _apart(number: int, last: date, days: int) -> Reason:
    """Say it as "dose 2 not before a day, because so many days after dose 1"."""
    first = str(last + timedelta(days=days))
    return Reason(
        "interval", {"number": number, "not_before": first, "days": days, "after": number - 1}
    )


def _rule_when_old_enough(offered: Series, birth_date: str, today: date) -> Series | None:
    """Return the rule for a person's age, or for the first age they will reach; None when past."""
    for band in sorted(offered.bands or (offered,), key=lambda band: band.min_age_months):
        if band.suits(birth_date, today) or reaches(birth_date, band.min_age_months) > today:
            return band
    return None


def _complete(counted: Counted, start: int, offered: Series, today: date) -> Outlook:
    primary, last, number = counted[start][1], counted[-1][0], len(counted) + 1
    ends = counted[start + primary.doses - 1][0]
    protects = ends + timedelta(days=primary.protects_after)
    done = Reason("series_complete", {"doses": primary.doses, "protects_from": str(protects)})
    least = wait(counted, offered, today)
    if least.fault:
        why = Reason("no_booster" if least.fault == "series_full" else least.fault)
        return Outlook("complete", None, protects, None, (done, why))
    earliest = last + timedelta(days=least.days)
    reasons = (done, _apart(number, last, least.days))
    coming = NextDose(number, earliest, earliest, booster=True)
    if primary.booster_target is None:
        return Outlook("complete", coming, protects, None, reasons)
    until = max(earliest, last + timedelta(days=primary.booster_target))
    coming = replace(coming, target=until)
    advised = (*reasons, Reason("booster_advised", {"number": number, "from": str(until)}))
    if today >= until:
        return Outlook("booster_due", coming, until, None, advised)
    return Outlook("complete", coming, protects, until, advised)
