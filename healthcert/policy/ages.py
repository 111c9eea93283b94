"""When a person reaches an age; what is open in a birth date is read both ways.

Also the one form in which every decision of these rules gives its reasons.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

_MONTHS, _WHOLE = 12, len("YYYY-MM-DD")
_OPEN_MONTHS = {1: _MONTHS, 2: 1}  # of a birth date of one part, or of two


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
    parts = [int(part) for part in birth_date.split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    if latest and (is_open := _OPEN_MONTHS.get(len(parts))):
        last = _later(year, month, 1, is_open) - timedelta(days=1)
        year, month, day = last.year, last.month, last.day
    return _later(year, month, day, months)


def months_old(birth_date: str, day: date) -> int | None:
    """Return a person's age in whole months; None where the birth date is open (``YYYY[-MM]``)."""
    if len(birth_date) < _WHOLE:
        return None
    months = (day.year - int(birth_date[:4])) * _MONTHS + day.month - int(birth_date[5:7])
    return months - (reaches(birth_date, months) > day)


def _later(year: int, month: int, day: int, months: int) -> date:
    years, ahead = divmod(month - 1 + months, _MONTHS)
    try:
        return date(year + years, ahead + 1, day)
    except ValueError:  # the month is shorter
        return _later(year + years, ahead + 1, 1, 1)
