"""When a person reaches an age; what is open in a birth date is read both ways.

Also the one form in which every decision of these rules gives its reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was decided: a stable code, and what it speaks of; days as ``YYYY-MM-DD``."""

    code: str
    about: Mapping[str, str | int] = field(default_factory=dict)


def reaches(birth_date: str, months: int, *, latest: bool = False) -> date:
    """Return the day a person reaches an age; a birthday on 29 February comes on 1 March.

    Args:
        birth_date: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``.
        months: The age, in months.
        latest: Read what is open as late as can be, rather than as early.
    """
    year, month, day = _read(birth_date, latest=latest)
    return _later(year, month, day, months)


def old_enough(birth_date: str, day: date, months: int) -> bool:
    """Say whether a person may have reached an age by a day; an open month or day speaks for it."""
    return reaches(birth_date, months) <= day


def _read(birth_date: str, *, latest: bool) -> tuple[int, int, int]:
    parts = [int(part) for part in birth_date.split("-")]
    if not latest:
        year, month, day = (*parts, 1, 1)[:3]
        return year, month, day
    if len(parts) == len(("year", "month", "day")):
        return parts[0], parts[1], parts[2]
    year, month = (*parts, _MONTHS)[:2]
    last = _later(year, month, 1, 1) - timedelta(days=1)
    return last.year, last.month, last.day


def _later(year: int, month: int, day: int, months: int) -> date:
    years, ahead = divmod(month - 1 + months, _MONTHS)
    try:
        return date(year + years, ahead + 1, day)
    except ValueError:  # the month is shorter
        return _later(year + years, ahead + 1, 1, 1)
